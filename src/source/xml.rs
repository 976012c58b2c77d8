//! XML as GDAL's own drivers read it: by its parser, which knows no entities of a document's own, so that a check sees
//! what they will see.

use std::ffi::{CStr, CString};

use anyhow::{Result, bail};
use gdal_sys::CPLXMLNode;
use gdal_sys::CPLXMLNodeType::{CXT_Attribute, CXT_Element, CXT_Text};

use super::trap::trapped;

/// No description of rasters is nested deeper.
const DEEPEST: usize = 100;

/// A document, parsed.
pub struct Document(*mut CPLXMLNode);

/// An element, or an attribute.
#[derive(Clone, Copy)]
pub struct Node<'a>(&'a CPLXMLNode);

impl Document {
    /// Parses a text, up to its first zero byte if there is one; nothing where GDAL's parser does not take it.
    ///
    /// # Errors
    /// It is nested too deeply.
    pub fn parse(text: &[u8]) -> Result<Option<Document>> {
        let text = CString::new(text.split(|&byte| byte == 0).next().unwrap_or_default())?;
        // SAFETY: the text ends with a zero byte and outlives the call; the tree is this value's own. Whatever the parser
        // says, GDAL's drivers go on with the tree that it gives.
        let (document, _) = trapped(|| Document(unsafe { gdal_sys::CPLParseXMLString(text.as_ptr()) }));
        if document.0.is_null() {
            return Ok(None);
        }
        if document.nodes().any(|(_, depth)| depth > DEEPEST) {
            bail!("is nested more than {DEEPEST} deep");
        }
        Ok(Some(document))
    }

    /// Every element and attribute, wherever it stands: GDAL's drivers take the one for the other.
    pub fn elements_and_attributes(&self) -> impl Iterator<Item = Node<'_>> {
        self.nodes().map(|(node, _)| node).filter(|node| node.is_named())
    }

    /// Every node, and how deep it lies.
    fn nodes(&self) -> impl Iterator<Item = (Node<'_>, usize)> {
        let mut waiting: Vec<_> = siblings(self.0).map(|node| (node, 0)).collect();
        std::iter::from_fn(move || {
            let (node, depth) = waiting.pop()?;
            waiting.extend(node.children().map(|child| (child, depth + 1)));
            Some((node, depth))
        })
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // SAFETY: the tree is this value's own, and nothing that borrows it is left.
        unsafe { gdal_sys::CPLDestroyXMLNode(self.0) };
    }
}

impl<'a> Node<'a> {
    /// Its name in lower case: GDAL's drivers do not tell cases apart. Of a text the text itself.
    pub fn name(self) -> String {
        self.value().to_ascii_lowercase()
    }

    /// Each text directly in it: comments cut one into several, of which a driver may take any.
    pub fn texts(self) -> impl Iterator<Item = String> {
        self.children().filter(|node| node.0.eType == CXT_Text).map(Node::value)
    }

    /// The text of the attribute, or of the element directly in it, of this name in lower case.
    pub fn text_of(self, name: &str) -> Option<String> {
        self.children().find(|node| node.is_named() && node.name() == name)?.texts().next()
    }

    /// The text of the attribute of this name in lower case, an empty one too; nothing where an element goes before it.
    pub fn attribute(self, name: &str) -> Option<String> {
        let node = self.children().find(|node| node.is_named() && node.name() == name)?;
        (node.0.eType == CXT_Attribute).then(|| node.texts().next().unwrap_or_default())
    }

    fn is_named(self) -> bool {
        [CXT_Attribute, CXT_Element].contains(&self.0.eType)
    }

    fn value(self) -> String {
        match self.0.pszValue.is_null() {
            true => String::new(),
            // SAFETY: the tree's texts end with a zero byte and live as long as it does.
            false => unsafe { CStr::from_ptr(self.0.pszValue) }.to_string_lossy().into_owned(),
        }
    }

    fn children(self) -> impl Iterator<Item = Node<'a>> {
        siblings(self.0.psChild)
    }
}

/// A node and those behind it.
fn siblings<'a>(first: *mut CPLXMLNode) -> impl Iterator<Item = Node<'a>> {
    // SAFETY: links lead to nodes of the same tree, which outlives `'a`, or nowhere; the last one's is null.
    let node = |link: *mut CPLXMLNode| unsafe { link.as_ref() };
    std::iter::successors(node(first), move |before| node(before.psNext)).map(Node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, Vec<String>)> {
        let document = Document::parse(text.as_bytes()).unwrap().unwrap();
        let mut found: Vec<_> =
            document.elements_and_attributes().map(|node| (node.name(), node.texts().collect())).collect();
        found.sort();
        found
    }

    #[test]
    fn every_element_and_attribute_is_found_with_its_texts() {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(
            found("junk <A>1<b c='2'>&lt;<!-- -->x</b></A><D><![CDATA[/e]]></D>"),
            [
                ("a".into(), texts(&["1"])),
                ("b".into(), texts(&["<", "x"])),
                ("c".into(), texts(&["2"])),
                ("d".into(), texts(&["/e"]))
            ]
        );
        let document = Document::parse(b"<a Key='1'><key>2</key><c>3</c></a>\0<b>").unwrap().unwrap();
        let a = document.elements_and_attributes().find(|node| node.name() == "a").unwrap();
        assert_eq!((a.text_of("key").as_deref(), a.text_of("none")), (Some("1"), None));
        assert_eq!((a.attribute("key").as_deref(), a.attribute("c")), (Some("1"), None));
    }

    #[test]
    fn entities_of_a_documents_own_stand_for_nothing() {
        let found = found("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>");
        let texts: String = found.iter().flat_map(|(_, texts)| texts.clone()).collect();
        assert!(found.iter().any(|(name, _)| name == "a") && !texts.contains('c'), "{found:?}");
    }

    #[test]
    fn what_is_no_document_or_too_deep_is_refused() {
        let is_none = |text: &[u8]| Document::parse(text).unwrap().is_none();
        assert!(is_none(b"") && is_none(b"<a>"));
        let nested = |times: usize| "<a>".repeat(times) + &"</a>".repeat(times);
        assert!(Document::parse(nested(90).as_bytes()).unwrap().is_some());
        assert!(Document::parse(nested(5_000).as_bytes()).is_err());
        assert!(!matches!(Document::parse(nested(100_000).as_bytes()), Ok(Some(_))));
    }
}
