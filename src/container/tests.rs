//! Hand-made headers, and damaged ones.

use proptest::prelude::*;

use super::*;
use crate::geometry::Size;

/// A TIFF of one tiled 40×30 image (blocks of 16), `samples` planes of their own, and a 1-bit mask of strips.
fn sample(order: ByteOrder, big: bool) -> Vec<u8> {
    let mut file = vec![0; if big { 16 } else { 8 }];
    file[..2].copy_from_slice(if order == ByteOrder::Little { b"II" } else { b"MM" });
    order.put(if big { 43 } else { 42 }, &mut file[2..4]);
    if big {
        order.put(8, &mut file[4..6]);
    }
    let offsets: Vec<u64> = (0..12).map(|index| 2000 + 10 * index).collect();
    let image = [
        (256, 3, vec![40]),
        (257, 4, vec![30]),
        (258, 3, vec![16, 16]),
        (259, 3, vec![5]),
        (262, 3, vec![1]),
        (277, 3, vec![2]),
        (284, 3, vec![2]),
        (317, 3, vec![2]),
        (322, 3, vec![16]),
        (323, 3, vec![16]),
        (324, if big { 16 } else { 4 }, offsets),
        (325, 3, vec![10; 12]),
        (338, 3, vec![2]),
        (339, 3, vec![2, 2]),
    ];
    let mask = [
        (254, 4, vec![4]),
        (256, 3, vec![40]),
        (257, 3, vec![30]),
        (273, 4, vec![2120]),
        (278, 3, vec![100]),
        (279, 4, vec![150]),
    ];
    let mut link = if big { 8 } else { 4 };
    for entries in [&image[..], &mask[..]] {
        link = push_directory(&mut file, order, big, link, entries);
    }
    file.resize(2270, 0);
    file
}

/// Appends a directory and its values, and makes `link` point to it; gives the place of its own link.
fn push_directory(
    file: &mut Vec<u8>,
    order: ByteOrder,
    big: bool,
    link: usize,
    entries: &[(u64, u64, Vec<u64>)],
) -> usize {
    let (count_bytes, entry_bytes, offset_bytes) = if big { (8, 20, 8) } else { (2, 12, 4) };
    let start = file.len();
    order.put(start as u64, &mut file[link..link + offset_bytes]);
    let next = start + count_bytes + entries.len() * entry_bytes;
    file.resize(next + offset_bytes, 0);
    order.put(entries.len() as u64, &mut file[start..start + count_bytes]);
    for (index, (tag, kind, values)) in entries.iter().enumerate() {
        let width = match kind {
            3 => 2,
            4 => 4,
            _ => 8,
        };
        let mut bytes = vec![0; width * values.len()];
        for (value, place) in values.iter().zip(bytes.chunks_exact_mut(width)) {
            order.put(*value, place);
        }
        let at = start + count_bytes + index * entry_bytes;
        order.put(*tag, &mut file[at..at + 2]);
        order.put(*kind, &mut file[at + 2..at + 4]);
        order.put(values.len() as u64, &mut file[at + 4..at + 4 + offset_bytes]);
        let field = at + 4 + offset_bytes;
        if bytes.len() <= offset_bytes {
            file[field..field + bytes.len()].copy_from_slice(&bytes);
        } else {
            let place = file.len() as u64;
            order.put(place, &mut file[field..field + offset_bytes]);
            file.extend(bytes);
        }
    }
    next
}

#[test]
fn every_kind_of_tiff_reads_the_same() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for big in [false, true] {
            let file = sample(order, big);
            let found = directories(&file[..]).unwrap();
            let [image, mask] = &found[..] else { panic!("{} directories", found.len()) };
            assert_eq!((image.byte_order, image.big, image.tiled), (order, big, true));
            assert_eq!((image.size, image.block), (Size::new(40, 30), Size::square(16)));
            assert_eq!((image.samples, image.bits_per_sample, image.sample_format), (2, 16, 2));
            assert_eq!((image.compression, image.predictor, image.planar), (5, 2, true));
            assert_eq!((image.photometric, &image.extra_samples[..]), (1, &[2][..]));
            assert_eq!((image.blocks_per_plane(), image.blocks()), (6, 12));
            assert_eq!(image.block_index(2, 1, 1), 11);
            assert_eq!((image.offsets.count, image.byte_counts.entry_bytes), (12, 2));
            let ranges = image.block_ranges(&file[..]).unwrap();
            assert_eq!((ranges.len(), ranges[3]), (12, (2030, 10)));
            assert_eq!(image.block_ranges_of(&file[..], 10..12).unwrap(), ranges[10..]);
            assert!(mask.is_mask() && !mask.is_overview() && !mask.tiled);
            assert_eq!((mask.block, mask.bits_per_sample, mask.fill_order), (Size::new(40, 30), 1, 1));
            assert_eq!(mask.block_ranges(&file[..]).unwrap(), [(2120, 150)]);
        }
    }
}

#[test]
fn fields_and_their_values_take_bytes_of_their_own() {
    for (big, position) in [(false, 8), (true, 16)] {
        let file = sample(ByteOrder::Little, big);
        let found = directories(&file[..]).unwrap();
        let taken = extents(&file[..], found.iter().map(|directory| directory.position)).unwrap();
        assert_eq!((taken[0].tag, taken[0].bytes.start), (None, position));
        let (own, sizes) = (taken[0].bytes.clone(), &taken[12]);
        assert_eq!((sizes.tag, sizes.bytes.end - sizes.bytes.start), (Some(325), 24));
        assert!(sizes.bytes.start >= own.end, "{taken:?}");
        assert_eq!(taken[13].tag, Some(338));
        assert!(own.contains(&taken[13].bytes.start), "values that fit stand inside: {taken:?}");
        let second = taken.iter().find(|extent| extent.directory == 1).unwrap();
        assert_eq!(second.bytes.start, found[1].position);
        let mut damaged = file.clone();
        ByteOrder::Little.put(99, &mut damaged[position as usize + if big { 10 } else { 4 }..][..2]);
        assert!(extents(&damaged[..], [position].into_iter()).is_err());
    }
}

#[test]
fn blocks_behind_the_end_are_counted() {
    let file = sample(ByteOrder::Little, true);
    let image = &directories(&file[..]).unwrap()[0];
    assert_eq!(check_blocks_inside(&file[..], image).unwrap().0, None);
    let found = check_blocks_inside(&file[..2099], image).unwrap().0;
    assert_eq!(found, Some(BlocksOutside { count: 3, first: 9, range: (2090, 10) }));
}

#[test]
fn a_loop_of_directories_is_an_error() {
    let mut file = sample(ByteOrder::Little, false);
    let found = directories(&file[..]).unwrap();
    let next_of_mask = found[1].position as usize + 2 + 6 * 12;
    file[next_of_mask..next_of_mask + 4].copy_from_slice(&8u32.to_le_bytes());
    let error = directories(&file[..]).unwrap_err();
    assert!(error.to_string().contains("loop"), "{error:#}");
}

#[test]
fn what_is_no_tiff_is_refused() {
    for bytes in
        [&b""[..], b"II", b"GIF89a..........", b"II\x2a\0\0\0\0\0", b"MM\0\x2b\0\x04\0\0\0\0\0\0\0\0\0\0"]
    {
        assert!(directories(bytes).is_err(), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn damage_never_panics(
        little: bool, big: bool,
        damage in prop::collection::vec((0usize..1100, any::<u8>()), 1..8),
        cut in prop::option::of(0usize..2270),
    ) {
        let order = if little { ByteOrder::Little } else { ByteOrder::Big };
        let mut file = sample(order, big);
        for (place, byte) in damage {
            file[place] = byte;
        }
        file.truncate(cut.unwrap_or(file.len()));
        for directory in directories(&file[..]).unwrap_or_default() {
            let inside = check_blocks_inside(&file[..], &directory);
            if let Ok(ranges) = directory.block_ranges(&file[..]) {
                prop_assert!(ranges.len() as u64 == directory.blocks() && inside.is_ok());
            }
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), big: bool) {
        let mut file = if big { b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec() } else { b"MM\0\x2a\0\0\0\x08".to_vec() };
        file.extend(bytes);
        let _ = directories(&file[..]);
    }

    #[test]
    fn numbers_come_back(number: u64, width in 1usize..=8) {
        let mask = u64::MAX >> (64 - 8 * width);
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let mut bytes = vec![0; width];
            order.put(number, &mut bytes);
            prop_assert_eq!(order.number(&bytes), number & mask);
        }
    }
}

/// A file whose directories of 20,000 entries overlap, each beginning an entry behind the one before: small, and large in
/// what it claims.
fn overlapping(directories: usize) -> Vec<u8> {
    const ENTRIES: usize = 20_000;
    // Far enough behind for no link to look like a tag that means something.
    let place = |directory: usize| 70_000 + 12 * directory;
    let behind = |directory: usize| place(directory) + 2 + 12 * ENTRIES;
    let mut file = vec![0; behind(directories) + 4];
    file[..4].copy_from_slice(b"II*\0");
    ByteOrder::Little.put(place(0) as u64, &mut file[4..8]);
    for directory in 0..directories {
        let next = if directory + 1 < directories { place(directory + 1) } else { 0 };
        ByteOrder::Little.put(ENTRIES as u64, &mut file[place(directory)..][..2]);
        ByteOrder::Little.put(next as u64, &mut file[behind(directory)..][..4]);
    }
    // The sides, one pixel each, where all directories have them.
    for (number, tag) in [(10_000, 256), (10_001, 257)] {
        for (from, value) in [(0, tag), (2, 3), (4, 1), (8, 1)] {
            ByteOrder::Little.put(value, &mut file[place(number) + 2 + from..][..2]);
        }
    }
    file
}

#[test]
fn directories_that_overlap_claim_no_more_entries_than_a_file_can_mean() {
    assert_eq!(directories(&overlapping(3)[..]).unwrap().len(), 3);
    let error = directories(&overlapping(110)[..]).unwrap_err();
    assert!(error.to_string().contains("more than 2097152 entries"), "{error:#}");
}
