//! Where the assets of a STAC document lie.

use crate::source::names;

/// The name by which GDAL opens an asset. A relative one lies beside the document at `base`, which is a path or an
/// address.
///
/// # Errors
/// What is wrong with it.
pub fn resolve(href: &str, base: &str) -> Result<String, String> {
    if href.is_empty() {
        return Err("has no href".into());
    }
    let whole = match (is_address(href), is_address(base)) {
        (true, _) => href.to_owned(),
        (false, true) => beside_address(href, base),
        (false, false) if href.starts_with('/') => href.to_owned(),
        (false, false) => {
            let folder = base.rfind('/').map_or("", |slash| &base[..=slash]);
            format!("{folder}{}", href.strip_prefix("./").unwrap_or(href))
        }
    };
    match is_address(&whole) {
        true => Ok(name_of(&whole)),
        false => Ok(whole),
    }
}

/// Whether a text is an address, such as `https://host/path`, and no name of GDAL's.
pub fn is_address(text: &str) -> bool {
    text.contains("://") && !text.starts_with("/vsi")
}

/// GDAL's name of an address; a path stays one.
pub fn name_of(address: &str) -> String {
    names::name_of_address(address).unwrap_or_else(|| address.to_owned())
}

/// A relative reference of an address (RFC 3986, section 5.2, as far as STAC uses it).
fn beside_address(href: &str, base: &str) -> String {
    let base = base.split(['?', '#']).next().unwrap_or(base);
    let start = base.find("://").map_or(0, |position| position + 3);
    let host_end = base[start..].find('/').map_or(base.len(), |slash| start + slash);
    let (host, path) = base.split_at(host_end);
    if href.starts_with('/') {
        return format!("{host}{href}");
    }
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if !path.ends_with('/') {
        parts.pop();
    }
    for part in href.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{host}/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hrefs_are_resolved_against_the_document() {
        for (href, base, expected) in [
            ("./B04.tif", "/data/items.json", "/data/B04.tif"),
            ("a/B04.tif", "items.json", "a/B04.tif"),
            ("../B04.tif", "data/items.json", "data/../B04.tif"),
            ("/other/B04.tif", "/data/items.json", "/other/B04.tif"),
            ("https://h/B04.tif?sig=a/b", "/data/items.json", "/vsicurl/https://h/B04.tif?sig=a/b"),
            ("s3://bucket/B04.tif", "items.json", "/vsis3/bucket/B04.tif"),
            ("../c/B04.tif", "https://h/a/b/item.json?x=/y", "/vsicurl/https://h/a/c/B04.tif"),
            ("/c/B04.tif", "https://h/a/b", "/vsicurl/https://h/c/B04.tif"),
            ("./B04.tif", "s3://bucket/a/item.json", "/vsis3/bucket/a/B04.tif"),
            ("B04.tif", "https://h", "/vsicurl/https://h/B04.tif"),
            ("file:///data/B04.tif", "https://h/", "/data/B04.tif"),
        ] {
            assert_eq!(resolve(href, base).as_deref(), Ok(expected), "{href} at {base}");
        }
        assert!(resolve("", "items.json").is_err());
        // What stands for a list where it is typed is a name like others here.
        for name in ["items.json", "@x://y", "-", "x://*"] {
            assert_eq!(name_of(name), name);
        }
        assert_eq!(resolve("@x://y", "items.json").as_deref(), Ok("@x://y"));
    }
}
