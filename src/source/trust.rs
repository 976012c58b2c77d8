//! What an input may refer to, since whoever made it need not be whoever runs the job: what lies in its own folder, and
//! what the user allows. And how much is borne with servers, which is wanted wherever inputs are opened, too.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Inspector, Patience, Problem};

/// What inputs may refer to beside the files in their own folders, nothing by default; and who may open them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// Whether they may refer to the network, and to what only GDAL knows by name (`/vsizip/…`, `NETCDF:…`).
    pub remote: bool,
    /// Folders with files that any input may refer to.
    pub roots: &'a [PathBuf],
    /// How much is borne with the servers of inputs in the network.
    pub patience: Patience<'a>,
    /// Who opens them first; nobody where this process may.
    pub inspector: Option<&'a dyn Inspector>,
}

impl Trust<'_> {
    /// Whether a file in `folder` may refer to `name`, both as GDAL opens them. Links count by what they lead to.
    ///
    /// # Errors
    /// A problem of `from`, the referring file, that says which flag allows it.
    pub fn check(&self, from: &str, folder: &str, name: &str) -> Result<(), Problem> {
        if !is_path(name) {
            return match self.remote || is_below(name, folder) {
                true => Ok(()),
                false => Err(Problem::new(
                    from,
                    format!("refers to {}, which is no file on this machine", short(name)),
                )
                .with_hint("--allow-remote lets inputs refer to the network and to names of GDAL's")),
            };
        }
        let real = real(Path::new(name));
        let own = Some(folder).filter(|folder| is_path(folder)).map(|folder| self::real(Path::new(folder)));
        let roots = self.roots.iter().map(|root| self::real(root));
        if own.into_iter().chain(roots).any(|allowed| real.starts_with(allowed)) {
            return Ok(());
        }
        let hint = real.parent().unwrap_or(Path::new("/")).display().to_string();
        let problem = Problem::new(from, format!("refers to {}, outside of its own folder", short(name)));
        Err(problem.with_hint(format!("--allow-root {hint} lets inputs refer to files in that folder")))
    }
}

/// Whether a name is a path and nothing else to GDAL: none of its file systems, no address, no connection such as
/// `NETCDF:"file.nc":variable`, no dataset written as XML.
pub fn is_path(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let connection =
        name.split_once(':').is_some_and(|(driver, _)| !driver.is_empty() && driver.chars().all(word));
    let others = ["://", "<", ":MRF:"];
    !name.starts_with("/vsi") && !connection && !others.iter().any(|mark| name.contains(mark))
}

/// Whether a name that is no path lies below a folder that is none either.
fn is_below(name: &str, folder: &str) -> bool {
    let rest = name.strip_prefix(folder.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    !is_path(folder) && rest.is_some_and(|rest| rest.split('/').all(|part| part != ".."))
}

/// The folder of a file; of a link that of what it leads to, as GDAL takes it. What an address asks for behind a question
/// mark is no part of it.
pub fn folder(file: &str) -> String {
    let file = match file.starts_with("/vsicurl") {
        true => file.split('?').next().unwrap_or(file),
        false => file,
    };
    let real = fs::canonicalize(file).ok().filter(|_| is_path(file));
    parent(real.as_deref().and_then(|path| path.to_str()).unwrap_or(file)).to_owned()
}

/// The folder in a file's name.
pub fn parent(file: &str) -> &str {
    match file.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}

/// A path without links and dots. What does not exist is taken as it is written.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path }) {
        return real;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => real(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => {
            let mut above = real(parent);
            above.pop();
            above
        }
        _ => path.to_owned(),
    }
}

/// A name as messages show it: one that is a whole document is cut.
fn short(name: &str) -> String {
    const SHOWN: usize = 200;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_refer_to_its_own_folder_and_to_the_roots() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name).to_str().unwrap().to_owned();
        for folder in ["own/deep", "own_too", "root"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("root/a.tif"), "").unwrap();
        std::os::unix::fs::symlink(at("root"), at("own/link")).unwrap();
        let allowed = |trust: Trust, name: &str| trust.check("x.vrt", &at("own"), &at(name)).is_ok();
        let nothing = Trust::default();
        for inside in ["own/a.tif", "own/deep/a.tif", "own/deep/../a.tif", "own_too/../own/missing/../a.tif"]
        {
            assert!(allowed(nothing, inside), "{inside}");
        }
        for outside in
            ["a.tif", "own_too/a.tif", "own/../a.tif", "own/link/a.tif", "own/missing/../../a.tif", "root"]
        {
            assert!(!allowed(nothing, outside), "{outside}");
        }
        let roots = [at("root").into()];
        let root = Trust { remote: true, roots: &roots, ..Trust::default() };
        assert!(
            allowed(root, "root/a.tif") && allowed(root, "own/link/a.tif") && !allowed(root, "own_too/a.tif")
        );
    }

    #[test]
    fn what_is_no_path_needs_the_network_allowed() {
        let allowed = |remote, folder: &str, name: &str| {
            Trust { remote, roots: &[PathBuf::from("/")], ..Trust::default() }
                .check("x.vrt", folder, name)
                .is_ok()
        };
        for name in [
            "/vsicurl/http://h/a.tif",
            "https://h/a.tif",
            "vrt://a.tif",
            "<VRTDataset/>",
            "a<VRTDataset/>",
            "NETCDF:\"a.nc\":b",
            "/vsizip/a.zip/a.tif",
            "/a.mrf:MRF:",
        ] {
            assert!(!allowed(false, "/", name) && allowed(true, "/", name), "{name}");
        }
        let archive = "/vsizip/a.zip/d";
        assert!(allowed(false, archive, "/vsizip/a.zip/d/e/a.tif"));
        for outside in ["/vsizip/a.zip/a.tif", "/vsizip/a.zip/d/../a.tif", "/vsizip/a.zip/dd/a.tif"] {
            assert!(!allowed(false, archive, outside), "{outside}");
        }
        // An archive has no right to the folder it lies in, nor a server to this machine.
        assert!(Trust::default().check("x.vrt", archive, "/d/a.tif").is_err());
    }
}
