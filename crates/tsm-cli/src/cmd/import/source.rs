//! The text of an import: a file, or standard input, which is kept so that it can be read twice.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use tsm::line::ParsedLine;

use super::parsed;
use crate::args::Import;
use crate::lines::Lines;
use crate::output::Output;
use crate::progress;

const BUFFER: usize = 1 << 20;
/// What ends the name of the file that keeps standard input, for the moment that it has one.
const KEPT: &str = "stdin.tmp";

/// The text.
pub(crate) struct Text {
    from: From,
    name: String,
    output: Output,
}

enum From {
    File(File),
    Stdin,
}

impl Text {
    pub(crate) fn open(import: &Import, output: Output) -> Result<Self> {
        let name = import.file.display().to_string();
        if import.file != Path::new("-") {
            let file = File::open(&import.file).with_context(|| format!("open {name}"))?;
            return Ok(Self { from: From::File(file), name, output });
        }
        let name = "standard input".to_string();
        if import.unchecked {
            return Ok(Self { from: From::Stdin, name, output });
        }
        let file = kept(&import.into).with_context(|| format!("keep {name} in {}", import.into.display()))?;
        Ok(Self { from: From::File(file), name, output })
    }

    /// To its start. Only what is read as it comes cannot be read again.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        match &mut self.from {
            From::File(file) => file.rewind().with_context(|| format!("read {} again", self.name)),
            From::Stdin => Ok(()),
        }
    }

    /// Reads all lines; an error names file and line.
    pub(crate) fn each_line(
        &mut self,
        doing: &'static str,
        mut take: impl FnMut(ParsedLine) -> Result<()>,
    ) -> Result<()> {
        let (source, bar): (Box<dyn Read + '_>, ProgressBar) = match &self.from {
            From::File(file) => {
                let len = file.metadata().map_or(0, |metadata| metadata.len());
                (Box::new(file), progress::bar(self.output, len))
            }
            From::Stdin => (Box::new(io::stdin().lock()), progress::spinner(self.output)),
        };
        bar.set_message(doing);
        let text = BufReader::with_capacity(BUFFER, bar.wrap_read(source));
        let mut lines = Lines::new(text, self.name.clone());
        let outcome = loop {
            match lines.next() {
                Ok(Some(line)) => {
                    let taken = parsed(line).and_then(|parsed| parsed.map_or(Ok(()), &mut take));
                    if let Err(error) = taken {
                        break Err(error.context(lines.place()));
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        bar.finish_and_clear();
        outcome
    }
}

/// Standard input in a file without a name, gone with its handle.
fn kept(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("{}.{KEPT}", std::process::id()));
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}
