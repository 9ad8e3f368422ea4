//! Replacing inputs by outputs, so that a crash at any point loses nothing.
//!
//! ```text
//!   outputs synced and verified         crash: inputs are all there; temporary files go at the next open
//!   stale sidecars removed, synced      crash: the same
//!   outputs renamed, names synced       crash: inputs and some outputs are there. An output sorts after its inputs
//!                                              and holds their merge: the content is the same
//!   inputs removed, names synced        crash: outputs and some inputs are there: the same content
//!   their sidecars removed, synced      crash: orphans go at the next open
//! ```
//! A sidecar never goes before its segment: deleted data would come back.

use std::io;

use crate::error::CompactError;
use crate::folder::SegmentFolder;
use crate::generation::SegmentId;
use crate::naming::sidecar_name;
use crate::segment::Segment;
use crate::write::Verified;

/// Outputs that are durable under their names. Only on the strength of this are inputs removed.
pub(crate) struct Installed {
    pub(crate) outputs: Vec<SegmentId>,
}

/// Gives outputs their names, durably. On failure none has one.
pub(crate) fn install(folder: &SegmentFolder, mut outputs: Vec<Verified>) -> Result<Installed, CompactError> {
    let ids: Vec<_> = outputs.iter().map(|output| output.id).collect();
    free_names(folder, &ids)?;
    let mut named = Vec::new();
    let renamed = outputs.iter_mut().try_for_each(|output| rename(folder, output, &mut named));
    if let Err(error) = renamed.and_then(|()| if ids.is_empty() { Ok(()) } else { folder.sync() }) {
        take_back(folder, &named);
        return Err(error);
    }
    Ok(Installed { outputs: ids })
}

/// Removes inputs, then what lay beside them.
pub(crate) fn remove_inputs(
    folder: &SegmentFolder,
    inputs: &[Segment],
    _replaced: &Installed,
) -> Result<(), CompactError> {
    let names = folder.list()?;
    let sidecars: Vec<_> = inputs
        .iter()
        .flat_map(|input| {
            folder.naming().sidecars.iter().map(|extension| sidecar_name(input.name(), extension))
        })
        .filter(|name| names.iter().any(|file| file.name == *name))
        .collect();
    let segments: Vec<_> = inputs.iter().map(|input| input.name().to_string()).collect();
    for stage in [segments, sidecars] {
        for name in &stage {
            folder.remove(name)?;
        }
        if !stage.is_empty() {
            folder.sync()?;
        }
    }
    Ok(())
}

/// Makes sure that no output's name is taken, and that none finds sidecars of an older segment of its name.
fn free_names(folder: &SegmentFolder, ids: &[SegmentId]) -> Result<(), CompactError> {
    if let Some(taken) = folder.segments()?.into_iter().find(|segment| ids.contains(&segment.id)) {
        return Err(CompactError::Exists { path: taken.path() });
    }
    let names = folder.list()?;
    let is_sidecar = |name: &str| matches!(folder.naming().kind(name), crate::FileKind::Sidecar(id, _) if ids.contains(&id));
    let stale: Vec<_> = names.into_iter().filter(|file| is_sidecar(&file.name)).collect();
    for file in &stale {
        folder.remove(&file.name)?;
    }
    if stale.is_empty() { Ok(()) } else { folder.sync() }
}

fn rename(
    folder: &SegmentFolder,
    output: &mut Verified,
    named: &mut Vec<String>,
) -> Result<(), CompactError> {
    let name = folder.naming().segment(output.id);
    let failed = |error: io::Error| CompactError::io(format!("name new segment {}", output.id), error);
    for (extension, sidecar) in &mut output.synced.sidecars {
        let name = sidecar_name(&name, extension);
        sidecar.commit(&folder.path().join(&name)).map_err(failed)?;
        named.push(name);
    }
    output.synced.temporary.commit(&folder.path().join(&name)).map_err(failed)?;
    named.push(name);
    Ok(())
}

/// Takes names back, segments before their sidecars. All inputs are there still, so whatever of this fails or is
/// lost in a crash leaves the content as it is.
fn take_back(folder: &SegmentFolder, named: &[String]) {
    for name in named.iter().rev() {
        let _ = folder.remove(name);
    }
    let _ = folder.sync();
}
