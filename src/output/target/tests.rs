use super::*;

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_dropped_target_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::new(&folder.path().join("a.tif")).unwrap();
    fs::write(target.side_file(), "x").unwrap();
    let found = names(folder.path());
    assert!(found[0].starts_with(".a.tif.") && found[0].ends_with(".partial"), "{found:?}");
    drop(target);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_persisted_target_takes_its_side_file_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for stale in ["a.tif", "a.tif.ovr", "a.tif.aux.xml"] {
        fs::write(folder.path().join(stale), "old").unwrap();
    }
    let mut target = Target::new(&path).unwrap();
    fs::write(target.path(), "new").unwrap();
    let error = target.persist(false).unwrap_err();
    assert!(error.to_string().contains("a.tif exists"), "{error:#}");
    assert!(target.path().exists(), "another run can go on with it");
    drop(target);
    assert_eq!(names(folder.path()), ["a.tif", "a.tif.aux.xml", "a.tif.ovr"]);
    let mut target = Target::new(&path).unwrap();
    fs::write(target.path(), "new").unwrap();
    fs::write(target.side_file(), "names").unwrap();
    target.persist(true).unwrap();
    assert!(target.settle().is_empty());
    assert_eq!(names(folder.path()), ["a.tif", "a.tif.aux.xml"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::read_to_string(folder.path().join("a.tif.aux.xml")).unwrap(), "names");
    let mut target = Target::new(&path).unwrap();
    target.persist(true).unwrap();
    assert!(target.settle().is_empty());
    assert_eq!(names(folder.path()), ["a.tif"]);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Target::new(&folder.path().join("nowhere/a.tif")).unwrap_err();
    assert!(error.to_string().contains("nowhere does not exist"), "{error:#}");
}
