//! The decoder against an independent one, the crate weezl, on streams of every kind.

use super::bits::BitWriter;
use super::encoder::SHIFT;
use super::*;
use anyhow::{Result, bail};
use proptest::prelude::*;
use weezl::{BitOrder, LzwStatus, decode::Configuration};

/// What [`Decoder::decode`] promises, by weezl.
fn reference(encoded: &[u8], out: &mut [u8]) -> Result<usize> {
    let configuration = Configuration::with_tiff_size_switch(BitOrder::Msb, 8);
    let mut decoder = configuration.with_yield_on_full_buffer(true).build();
    let (mut read, mut filled, mut idle) = (0, 0, 0);
    let mut surplus = [0];
    while filled <= out.len() {
        let full = filled == out.len();
        let target = if full { &mut surplus[..] } else { &mut out[filled..] };
        let step = decoder.decode_bytes(&encoded[read..], target);
        read += step.consumed_in;
        filled += step.consumed_out;
        match step.status {
            Err(_) if full => break,
            Err(error) => bail!("{error}"),
            // A clear code among the bits it holds already stops it, though it took and gave nothing.
            Ok(LzwStatus::Done) => break,
            Ok(_) if step.consumed_in + step.consumed_out > 0 => idle = 0,
            Ok(_) if idle < 8 => idle += 1,
            Ok(_) => break,
        }
    }
    Ok(filled)
}

/// Decodes to every one of these lengths by both: the same bytes, or an error from both.
fn assert_agree(encoded: &[u8], lengths: &[usize]) {
    let mut decoder = Decoder::new();
    for &length in lengths {
        let (mut ours, mut theirs) = (vec![1; length], vec![2; length]);
        let (found, expected) = (decoder.decode(encoded, &mut ours), reference(encoded, &mut theirs));
        match (&found, &expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected, "{length}");
                // What is in a block that is not long enough is not promised.
                assert!(*found > length || ours[..*found] == theirs[..*found], "{length}");
            }
            (Err(_), Err(_)) => {}
            _ => panic!(
                "{found:?} where weezl says {expected:?}: {length} of {} {:?}",
                encoded.len(),
                &encoded[..encoded.len().min(40)]
            ),
        }
    }
}

/// Bytes of so many kinds, many of them like those before: short and long strings, runs.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9000),
        prop::collection::vec(0u8..3, 0..20_000),
        (prop::collection::vec(any::<u8>(), 1..50), 0usize..30_000).prop_map(|(period, length)| period
            .into_iter()
            .cycle()
            .take(length)
            .collect()),
        prop::collection::vec((any::<u8>(), 1usize..400), 0..60)
            .prop_map(|runs| runs.into_iter().flat_map(|(byte, length)| vec![byte; length]).collect()),
    ]
}

fn encoded(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new().encode(&[raw], std::slice::from_mut(&mut out));
    out
}

proptest! {
    #[test]
    fn garbage_decodes_as_by_another_decoder(garbage: Vec<u8>, length in 0usize..400) {
        assert_agree(&garbage, &[length]);
        // Most garbage of its own is damaged at its first code.
        assert_agree(&[&[0x80, 0], &garbage[..]].concat(), &[length]);
    }

    /// Each code is chosen among those that stand for a string, so that streams stay whole for long; now and then
    /// there is one that does not.
    #[test]
    fn any_codes_decode_as_by_another_decoder(choices in prop::collection::vec(0u32..=1 << 16, 0..5000)) {
        let mut codes = Vec::new();
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        writer.write::<9>(&[CLEAR << SHIFT]);
        for choice in choices {
            let known = FIRST_FREE as u32 + (codes.len() as u32).saturating_sub(u32::from(codes.is_empty()));
            let code = if choice == 1 << 16 { known + 1 } else { (choice * known) >> 16 };
            if code == u32::from(CLEAR) || code == u32::from(END) {
                continue;
            }
            codes.push((code.min(4095) as u16) << SHIFT);
            if codes.len() == PERIOD {
                writer.write_period(&codes);
                writer.write::<12>(&[CLEAR << SHIFT]);
                codes.clear();
            }
        }
        writer.write_period(&codes);
        writer.finish();
        let whole = Decoder::new().decode(&out, &mut vec![0; 1 << 20]).unwrap_or(100);
        assert_agree(&out, &[0, whole / 2, whole.saturating_sub(1), whole, whole + 1, whole + 20]);
    }

    #[test]
    fn what_the_encoder_wrote_comes_back(raw in bytes()) {
        let encoded = encoded(&raw);
        let length = raw.len();
        prop_assert!(encoded.len() <= max_encoded_len(length));
        assert_agree(&encoded, &[length, length.saturating_sub(1), length + 1, length + 9]);
        let mut decoded = vec![0; length];
        prop_assert_eq!(Decoder::new().decode(&encoded, &mut decoded).unwrap(), length);
        prop_assert!(decoded == raw);
    }

    #[test]
    fn what_another_encoder_wrote_comes_back(raw in bytes()) {
        let mut encoder = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
        let encoded = encoder.encode(&raw).unwrap();
        let mut decoded = vec![0; raw.len()];
        prop_assert_eq!(Decoder::new().decode(&encoded, &mut decoded).unwrap(), raw.len());
        prop_assert!(decoded == raw);
    }

    #[test]
    fn damage_is_found_or_missed_as_by_another_decoder(
        raw in bytes(), place: prop::sample::Index, flip in 1u8.., cut: prop::sample::Index
    ) {
        let mut encoded = encoded(&raw);
        let place = place.index(encoded.len());
        encoded[place] ^= flip;
        assert_agree(&encoded, &[raw.len()]);
        assert_agree(&encoded[..cut.index(encoded.len())], &[raw.len()]);
    }
}
