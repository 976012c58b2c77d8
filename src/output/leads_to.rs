//! What there is at a path, links followed: so that nothing is written over what is read or was just written, and
//! nothing is begun that cannot take its name.

use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folder in which a file stands.
pub fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Device and inode of the file that a path leads to, when there is one.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(identity_in)
}

/// The same of an open file.
pub fn identity_of(file: &File) -> Option<(u64, u64)> {
    file.metadata().ok().map(identity_in)
}

fn identity_in(metadata: Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The path behind all links, also behind one that leads nowhere yet.
pub fn end_of_links(path: &Path) -> PathBuf {
    /// As many as Linux follows (path_resolution(7)).
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        let Ok(next) = path.read_link() else { break };
        path = folder_of(&path).join(next);
    }
    path
}

/// Whether two paths lead to the same file, or to the same place for one.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| {
        let path = end_of_links(path);
        Some((identity(folder_of(&path))?, path.file_name()?.to_owned()))
    };
    let same = |a: Option<_>, b| a.is_some() && a == b;
    same(identity(a), identity(b)) || place(a).is_some() && place(a) == place(b)
}

/// Whether something is mounted at a path, links in its folder's path followed: nothing can be renamed to there. The
/// fifth field of each line of `/proc/self/mountinfo` says so (proc(5)), with white space and `\` as octal numbers;
/// where there is no such list, nothing is known to be mounted.
pub fn is_mount_point(path: &Path) -> bool {
    let Some((folder, name)) = folder_of(path).canonicalize().ok().zip(path.file_name()) else {
        return false;
    };
    let mut listed = Vec::new();
    for &byte in folder.join(name).as_os_str().as_bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => listed.extend(format!("\\{byte:03o}").bytes()),
            _ => listed.push(byte),
        }
    }
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mut lines = mounts.split(|&byte| byte == b'\n');
    lines.any(|line| line.split(|&byte| byte == b' ').nth(4) == Some(&listed))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_also_where_there_is_no_file_yet() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("second", at("first")).unwrap();
        symlink(at("file"), at("second")).unwrap();
        symlink("round", at("round")).unwrap();
        for _ in 0..2 {
            assert_eq!(end_of_links(&at("first")), at("file"));
            assert!(is_same_file(&at("first"), &at("file")) && is_same_file(&at("second"), &at("./file")));
            assert!(!is_same_file(&at("first"), &at("other")) && !is_same_file(&at("round"), &at("file")));
            fs::write(at("file"), "").unwrap();
        }
    }
}
