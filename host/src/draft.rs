//! A file that appears under its name only when it is complete. After a failure the previous file is unchanged.
//!
//! ```text
//! create -> .NAME.PID.N.part beside the target -> commit: renamed to the target
//!                                              \-> dropped: removed
//! ```
//! A target that is not a regular file, such as a pipe or `/dev/null`, is written directly. Links are followed. The new file
//! takes the permissions of the file that it replaces. A killed process leaves the `.part` file behind.

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file that appears under its name when it is complete. After a failure the previous file is unchanged.
///
/// ```
/// let path = std::env::temp_dir().join(format!("foveola-doc-{}.txt", std::process::id()));
/// foveola::write_file(&path, "whole")?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`].
pub fn write_file(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
    let path = path.as_ref();
    let write = || {
        let mut draft = Draft::create(path)?;
        draft.write_all(content.as_ref())?;
        draft.commit()
    };
    write().map_err(|source| Error::Io { path: path.into(), source })
}

/// A file that is not complete yet.
pub(crate) struct Draft {
    file: File,
    /// The temporary path and the final path; none for a target that is not a regular file.
    place: Option<(PathBuf, PathBuf)>,
}

impl Draft {
    /// Begins a file that will be `path`.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let there = fs::metadata(path);
        if there.as_ref().is_ok_and(|there| !there.is_file()) {
            return Ok(Self { file: File::create(path)?, place: None });
        }
        // The target of a link; only its last component may be missing.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let part = target.with_file_name(format!(".{name}.{}.{number}.part", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&part)?;
        let draft = Self { file, place: Some((part, target)) };
        if let Ok(there) = there {
            // Fails for a file without write permission, so that it is not replaced.
            OpenOptions::new().write(true).open(path)?;
            draft.file.set_permissions(there.permissions())?;
        }
        Ok(draft)
    }

    /// A file that is written in small parts.
    pub(crate) fn buffered(path: &Path) -> io::Result<BufWriter<Self>> {
        Self::create(path).map(BufWriter::new)
    }

    /// [`Draft::commit`] of a buffered file.
    pub(crate) fn commit_buffered(file: BufWriter<Self>) -> io::Result<()> {
        file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    }

    /// Renames the file to its final name.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        match self.place.take() {
            Some((part, target)) => fs::rename(&part, target).inspect_err(|_| {
                let _ = fs::remove_file(part);
            }),
            None => Ok(()),
        }
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Draft {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((part, _)) = self.place.take() {
            let _ = fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.raw");
        let write = |bytes: &[u8]| -> Draft {
            let mut draft = Draft::create(&path).expect("created");
            draft.write_all(bytes).expect("written");
            draft
        };
        drop(write(b"half"));
        assert!(names(folder.path()).is_empty(), "nothing is left");
        write(b"whole").commit().expect("renamed");
        drop(write(b"half"));
        assert_eq!((names(folder.path()), fs::read(&path).ok()), (vec!["a.raw".into()], Some(b"whole".to_vec())));
        write(b"again").commit().expect("renamed");
        assert_eq!((names(folder.path()), fs::read(&path).ok()), (vec!["a.raw".into()], Some(b"again".to_vec())));
        assert!(Draft::create(&folder.path().join("no/a.raw")).is_err(), "no folder");
        assert!(Draft::create(folder.path()).is_err(), "a folder");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("a.raw"), folder.path().join("link.raw"));
        fs::write(&path, b"old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        symlink(&path, &link).expect("linked");
        let mut draft = Draft::create(&link).expect("created");
        draft.write_all(b"new").and_then(|()| draft.commit()).expect("renamed");
        assert!(fs::symlink_metadata(&link).is_ok_and(|there| there.is_symlink()), "still a link");
        assert_eq!(fs::read(&path).ok(), Some(b"new".to_vec()));
        assert_eq!(fs::metadata(&path).map(|there| there.permissions().mode() & 0o777).ok(), Some(0o640));
        let null = Draft::create(Path::new("/dev/null")).expect("no file");
        assert!(null.place.is_none() && null.commit().is_ok(), "written as it is");
    }
}
