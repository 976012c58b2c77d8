//! What many sources share, told to another process once: a value behind an `Arc` is written where it comes first, and
//! named by its number afterwards, so that it is shared there too.

use std::any::{Any, TypeId};
use std::borrow::ToOwned;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

thread_local! {
    /// Numbers of the values told, by address and type.
    static TOLD: RefCell<HashMap<(usize, TypeId), u32>> = RefCell::default();
    /// The values heard, each an `Arc`.
    static HEARD: RefCell<HashMap<u32, Box<dyn Any>>> = RefCell::default();
}

/// Tells or hears one message, whose shared values have numbers of their own.
pub fn one_message<T>(work: impl FnOnce() -> T) -> T {
    let forget = || {
        TOLD.take();
        HEARD.take();
    };
    forget();
    let result = work();
    forget();
    result
}

/// Tells a shared value: its number, and the value itself the first time.
pub(super) fn serialize<T, S>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + ?Sized + 'static,
    S: Serializer,
{
    // All of a message's values live while it is told: no two have one address.
    let key = (Arc::as_ptr(value).cast::<u8>() as usize, TypeId::of::<Arc<T>>());
    let (number, is_new) = TOLD.with_borrow_mut(|told| {
        let next = told.len() as u32;
        let number = *told.entry(key).or_insert(next);
        (number, number == next)
    });
    (number, is_new.then_some(&**value)).serialize(serializer)
}

/// Hears a shared value.
pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Arc<T>, D::Error>
where
    T: ToOwned + ?Sized + 'static,
    T::Owned: Deserialize<'de>,
    Arc<T>: From<T::Owned>,
    D: Deserializer<'de>,
{
    let (number, value) = <(u32, Option<T::Owned>)>::deserialize(deserializer)?;
    if let Some(value) = value {
        let value: Arc<T> = value.into();
        HEARD.with_borrow_mut(|heard| heard.insert(number, Box::new(Arc::clone(&value))));
        return Ok(value);
    }
    let heard = HEARD.with_borrow(|heard| heard.get(&number)?.downcast_ref().cloned());
    heard.ok_or_else(|| serde::de::Error::custom("a shared value is named before it was told"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{request, source};
    use super::super::{Mosaic, Request, unify};
    use super::*;
    use crate::pixels::{Number, PixelType};

    #[test]
    fn a_mosaic_is_heard_as_it_was_told_and_its_sources_share_what_they_shared() {
        let wkt: Arc<str> = "".into();
        let of = |name, x| {
            let mut source = source(name, x, PixelType::Float32, 2);
            source.wkt = Arc::clone(&wkt);
            source.footprint.resolution.x += f64::EPSILON;
            Arc::new(source)
        };
        let nodata = Some(Number::Float(f64::NAN));
        let asked = Request { nodata, source_nodata: Some(Number::Whole(i128::from(u64::MAX))), ..request() };
        let told = unify(&[of("a", 0.0), of("b", 7.0)], &asked).0.expect("these make a mosaic");
        let mut bytes = Vec::new();
        one_message(|| ciborium::into_writer(&told, &mut bytes)).unwrap();
        let heard: Mosaic = one_message(|| ciborium::from_reader(&bytes[..])).unwrap();
        // Why a source is not read directly is not told.
        let text = |mosaic: &Mosaic| format!("{mosaic:?}").replace("it is no file", "GDAL alone reads it");
        assert_eq!(text(&heard), text(&told));
        let wkt_of = |index: usize| &heard.sources[index].source.wkt;
        assert!(Arc::ptr_eq(wkt_of(0), wkt_of(1)) && !Arc::ptr_eq(wkt_of(0), &told.sources[0].source.wkt));
    }
}
