//! The texts of all layers, taken key by key with a note of where each came from and of what has no meaning.

use super::{Layer, Origin, Problem, Setting};
use std::cmp::Ordering;
use std::fmt::Display;

/// What was asked for, as far as it is understood.
pub(super) struct Asked<'a> {
    /// The strongest last.
    pub(super) layers: &'a [Layer],
    pub(super) problems: Vec<Problem>,
    pub(super) settings: Vec<Setting>,
}

impl Asked<'_> {
    /// The texts of a key from the strongest layer that has it.
    fn typed(&mut self, key: &'static str, absent: &str) -> Option<(Vec<String>, Origin)> {
        let found = self.layers.iter().rev().find_map(|layer| Some((layer.values.get(key)?, &layer.origin)));
        let (value, origin) = match found {
            Some((texts, origin)) => (texts.join(", "), origin.clone()),
            None => (absent.to_owned(), Origin::Default),
        };
        self.settings.push(Setting { key, value, origin });
        found.map(|(texts, origin)| (texts.clone(), origin.clone()))
    }

    /// The meaning of a key's text, where one was typed and it has a meaning; `absent` is shown where none was.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        absent: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (texts, origin) = self.typed(key, absent)?;
        // The parser of flags refuses a repeated flag, so there is one text.
        match parse(texts.last().map_or("", |text| text.trim())) {
            Ok(value) => Some(value),
            Err(message) => {
                self.problems.push(Problem::new(message).at(&origin.place(key)));
                None
            }
        }
    }

    /// Replaces a default by what was typed.
    pub(super) fn value<T: Display>(
        &mut self,
        key: &'static str,
        value: &mut T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        let absent = value.to_string();
        if let Some(parsed) = self.parsed(key, &absent, parse) {
            *value = parsed;
        }
    }

    /// The meaning of each text of a list.
    pub(super) fn parsed_list<T>(
        &mut self,
        key: &'static str,
        absent: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let (mut values, texts) = (Vec::new(), self.list(key, absent));
        for text in texts {
            match parse(text.trim()) {
                Ok(value) => values.push(value),
                Err(message) => self.problems.push(Problem::new(message).at(&self.place(key))),
            }
        }
        values
    }

    /// The texts of a list. One that was typed and has nothing in it is a problem: whoever typed it meant something, as
    /// with a variable of the shell that is not set.
    pub(super) fn list(&mut self, key: &'static str, absent: &str) -> Vec<String> {
        let Some((texts, origin)) = self.typed(key, absent) else { return Vec::new() };
        if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
            let problem = Problem::new("an empty text where a list belongs").at(&origin.place(key));
            self.problems.push(problem.hint(format!("leave it out for the default: {absent}")));
            return Vec::new();
        }
        texts
    }

    /// Takes a creation option as the value of a key of its own, unless a stronger layer set that key. Two values
    /// of equal strength must agree.
    pub(super) fn merge<T: PartialEq + Display>(
        &mut self,
        key: &'static str,
        option: T,
        value: Option<T>,
    ) -> Option<T> {
        let (place, origin) = (self.place("co"), self.origin("co"));
        match (self.origin(key).cmp(&origin), value) {
            (Ordering::Greater, value) => return value,
            (Ordering::Equal, Some(value)) if option != value => {
                let message = format!("{} is {value}, but {place} asks for {option}", self.place(key));
                self.problems.push(Problem::new(message).hint("give one of them"));
                return Some(value);
            }
            _ => {}
        }
        let shown = self.settings.iter_mut().find(|setting| setting.key == key);
        let shown = shown.expect("keys are taken before creation options are merged into them");
        (shown.value, shown.origin) = (format!("{option} (co)"), origin);
        Some(option)
    }

    /// Where a key's value came from.
    pub(super) fn origin(&self, key: &str) -> Origin {
        let found = self.settings.iter().find(|setting| setting.key == key);
        found.map_or(Origin::Default, |setting| setting.origin.clone())
    }

    /// The same for messages.
    pub(super) fn place(&self, key: &str) -> String {
        self.origin(key).place(key)
    }
}
