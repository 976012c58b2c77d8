//! GDAL's messages, caught per call.
//!
//! GDAL reports some failures only to its error handler and returns success (a full disk, before GDAL 3.7), so
//! that every call whose outcome matters runs inside a trap. Handlers are kept per thread and the trap takes no
//! lock: one held across a GDAL call can hang the process.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};

use anyhow::{Context, Result, anyhow};

use super::network;

/// How grave a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Only for those who debug GDAL.
    Debug,
    /// Something was ignored or replaced.
    Warning,
    /// The call failed, whatever it returned.
    Failure,
    /// GDAL ends the process.
    Fatal,
}

/// What GDAL said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How grave it is.
    pub severity: Severity,
    /// GDAL's words.
    pub text: String,
}

/// Lesser messages that one trap keeps; a damaged file can cause millions. Failures have room for as many again.
const MOST_MESSAGES: usize = 1000;

/// Runs `work` and gives what GDAL said meanwhile in this thread. Traps may be nested: the innermost one hears.
pub fn trapped<T>(work: impl FnOnce() -> T) -> (T, Vec<Message>) {
    let messages = RefCell::new(Vec::new());
    let trap = Trap::set(&messages);
    let result = work();
    drop(trap);
    (result, messages.into_inner())
}

/// Runs `work`; an error that says `what` when it fails, or when GDAL reported a failure meanwhile.
///
/// # Errors
/// As said.
pub fn checked<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    checked_with_warnings(what, work).map(|(result, _)| result)
}

/// As [`checked`], and gives GDAL's warnings too.
///
/// # Errors
/// As [`checked`].
pub fn checked_with_warnings<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<(T, Vec<String>)> {
    let (result, messages) = trapped(work);
    let (failures, others): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message.severity >= Severity::Failure);
    let failures = failures.into_iter().map(|message| message.text).collect::<Vec<_>>().join("; ");
    let result = match result {
        Ok(result) if failures.is_empty() => Ok(result),
        Ok(_) => Err(anyhow!(failures)),
        // The error often repeats what the handler heard.
        Err(error) if format!("{error:#}").contains(&failures) => Err(error),
        Err(error) => Err(anyhow!("{error:#}: {failures}")),
    };
    let warnings = others.into_iter().filter(|message| message.severity == Severity::Warning);
    result.map(|result| (result, warnings.map(|message| message.text).collect())).context(what.to_owned())
}

/// A handler of this thread, taken away again when dropped, also when `work` panics.
struct Trap<'a>(std::marker::PhantomData<(&'a RefCell<Vec<Message>>, *const ())>);

impl<'a> Trap<'a> {
    fn set(messages: &'a RefCell<Vec<Message>>) -> Self {
        let place = std::ptr::from_ref(messages).cast_mut().cast::<c_void>();
        // SAFETY: the handler is taken away on drop, before `messages`, which this value borrows, ends.
        unsafe { gdal_sys::CPLPushErrorHandlerEx(Some(hear), place) };
        Trap(std::marker::PhantomData)
    }
}

impl Drop for Trap<'_> {
    fn drop(&mut self) {
        // SAFETY: traps are dropped in the thread that set them (they are not `Send`), innermost first.
        unsafe { gdal_sys::CPLPopErrorHandler() };
    }
}

/// GDAL calls this in the thread that set the trap.
unsafe extern "C" fn hear(class: gdal_sys::CPLErr::Type, _number: i32, text: *const c_char) {
    // SAFETY: GDAL gives back the pointer that `Trap::set` handed over, and only while that trap is set.
    let messages = unsafe { gdal_sys::CPLGetErrorHandlerUserData().cast::<RefCell<Vec<Message>>>().as_ref() };
    let (Some(messages), false) = (messages, text.is_null()) else { return };
    let severity = match class {
        gdal_sys::CPLErr::CE_Warning => Severity::Warning,
        gdal_sys::CPLErr::CE_Failure => Severity::Failure,
        gdal_sys::CPLErr::CE_Fatal => Severity::Fatal,
        _ => Severity::Debug,
    };
    // SAFETY: GDAL passes a text that ends with a zero byte and lives during the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    if severity == Severity::Debug {
        return network::hear(&text);
    }
    let mut messages = messages.borrow_mut();
    let room = if severity >= Severity::Failure { 2 * MOST_MESSAGES } else { MOST_MESSAGES };
    if messages.len() < room {
        messages.push(Message { severity, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(class: gdal_sys::CPLErr::Type, text: &CStr) {
        // SAFETY: the format takes one text, which is given.
        unsafe { gdal_sys::CPLError(class, 1, c"%s".as_ptr(), text.as_ptr()) };
    }

    #[test]
    fn a_failure_behind_a_success_is_an_error() {
        let outcome = checked("writing x.tif", || {
            say(gdal_sys::CPLErr::CE_Failure, c"disk full");
            Ok(1)
        });
        assert_eq!(format!("{:#}", outcome.unwrap_err()), "writing x.tif: disk full");
        let (value, warnings) = checked_with_warnings("reading", || {
            say(gdal_sys::CPLErr::CE_Warning, c"odd");
            Ok(2)
        })
        .unwrap();
        assert_eq!((value, warnings), (2, vec!["odd".to_owned()]));
        let outcome: Result<()> = checked("opening", || Err(anyhow!("no such file")));
        assert_eq!(format!("{:#}", outcome.unwrap_err()), "opening: no such file");
    }

    #[test]
    fn traps_nest_and_end_with_a_panic() {
        let ((), outer) = trapped(|| {
            let panicked = std::panic::catch_unwind(|| trapped(|| panic!("on purpose")));
            assert!(panicked.is_err());
            let ((), inner) = trapped(|| say(gdal_sys::CPLErr::CE_Warning, c"inside"));
            assert_eq!(inner, [Message { severity: Severity::Warning, text: "inside".into() }]);
            say(gdal_sys::CPLErr::CE_Failure, c"outside");
        });
        assert_eq!(outer, [Message { severity: Severity::Failure, text: "outside".into() }]);
    }
}
