//! Puts what was measured into a page, between two markers; a file is replaced as a whole or not at all.

use std::path::Path;

use anyhow::{Context, Result, ensure};

const BEGIN: &str = "<!-- compare: begin -->";
const END: &str = "<!-- compare: end -->";

/// Replaces what stands between the markers of a page.
pub(super) fn insert(page: &Path, section: &str) -> Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| format!("read {}", page.display()))?;
    let merged = merged(&text, section).with_context(|| format!("put the table into {}", page.display()))?;
    replace_file(page, &merged)
}

fn merged(page: &str, section: &str) -> Result<String> {
    let marker = |marker: &str| page.find(marker).with_context(|| format!("`{marker}` is not there"));
    let (begin, end) = (marker(BEGIN)? + BEGIN.len(), marker(END)?);
    ensure!(begin <= end, "`{END}` stands before `{BEGIN}`");
    ensure!(page.matches(BEGIN).count() == 1 && page.matches(END).count() == 1, "a marker is there twice");
    Ok(format!("{}\n\n{}\n\n{}", &page[..begin], section.trim(), &page[end..]))
}

/// Writes beside the file, syncs, then takes its name.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.as_file().sync_all()?;
    // A temporary file is for its owner alone; a page is not.
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.persist(path).with_context(|| format!("replace {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = format!("# Page\n\n{BEGIN}\nold\n{END}\n\nrest\n");
        let once = merged(&page, "| new |\n").unwrap();
        assert_eq!(once, format!("# Page\n\n{BEGIN}\n\n| new |\n\n{END}\n\nrest\n"));
        assert_eq!(merged(&once, "| new |\n").unwrap(), once);
    }

    #[test]
    fn a_page_without_its_markers_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        for text in ["nothing", &format!("{END} {BEGIN}"), &format!("{BEGIN} {BEGIN} {END}")] {
            std::fs::write(&page, text).unwrap();
            let error = format!("{:#}", insert(&page, "new").unwrap_err());
            assert!(error.contains("page.md"), "{error}");
            assert_eq!(std::fs::read_to_string(&page).unwrap(), *text);
        }
    }

    #[test]
    fn a_replaced_file_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.svg");
        replace_file(&path, "one").unwrap();
        replace_file(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }
}
