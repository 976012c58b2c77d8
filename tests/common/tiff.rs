//! Changes single fields of a TIFF's first directory, as a damaged or an odd file has them.

/// A TIFF's bytes.
pub struct Tiff {
    pub bytes: Vec<u8>,
    big: bool,
    swapped: bool,
}

/// Where one field of the first directory stands.
#[derive(Clone, Copy)]
pub struct Field {
    pub tag: u64,
    /// First byte of the entry: tag, type, count, value.
    pub start: usize,
}

impl Tiff {
    pub fn of(bytes: Vec<u8>) -> Tiff {
        let swapped = bytes[0] == b'M';
        let mut tiff = Tiff { bytes, big: false, swapped };
        tiff.big = tiff.number(2, 2) == 43;
        tiff
    }

    /// The whole number of so many bytes at a place.
    pub fn number(&self, at: usize, width: usize) -> u64 {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let bytes = &self.bytes[at..at + width];
        if self.swapped { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    pub fn set_number(&mut self, at: usize, width: usize, number: u64) {
        for index in 0..width {
            let byte = (number >> (8 * index)) as u8;
            self.bytes[if self.swapped { at + width - 1 - index } else { at + index }] = byte;
        }
    }

    /// Bytes of an offset, and of a field's count.
    fn wide(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// First byte and end of the first directory's fields.
    pub fn directory(&self) -> (usize, usize) {
        let start = self.number(self.wide(), self.wide()) as usize;
        let count_bytes = if self.big { 8 } else { 2 };
        let first = start + count_bytes;
        (first, first + self.number(start, count_bytes) as usize * self.entry_bytes())
    }

    fn entry_bytes(&self) -> usize {
        4 + 2 * self.wide()
    }

    pub fn fields(&self) -> Vec<Field> {
        let (first, end) = self.directory();
        (first..end)
            .step_by(self.entry_bytes())
            .map(|start| Field { tag: self.number(start, 2), start })
            .collect()
    }

    #[track_caller]
    pub fn field(&self, tag: u64) -> Field {
        *self.fields().iter().find(|field| field.tag == tag).unwrap_or_else(|| panic!("no tag {tag}"))
    }

    pub fn set_kind(&mut self, field: Field, kind: u64) {
        self.set_number(field.start + 2, 2, kind);
    }

    pub fn set_count(&mut self, field: Field, count: u64) {
        self.set_number(field.start + 4, self.wide(), count);
    }

    /// Bytes of one of a field's values, and how many values it has.
    fn shape(&self, field: Field) -> (usize, usize) {
        let width = match self.number(field.start + 2, 2) {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => 1,
        };
        (width, self.number(field.start + 4, self.wide()) as usize)
    }

    /// Where the value with this index stands, and how many bytes it has.
    pub fn value(&self, field: Field, index: usize) -> (usize, usize) {
        let (width, count) = self.shape(field);
        let inside = field.start + 4 + self.wide();
        let fits = width * count <= self.wide();
        let first = if fits { inside } else { self.number(inside, self.wide()) as usize };
        (first + width * index, width)
    }

    pub fn values(&self, tag: u64) -> Vec<u64> {
        let field = self.field(tag);
        (0..self.shape(field).1)
            .map(|index| self.value(field, index))
            .map(|(at, w)| self.number(at, w))
            .collect()
    }

    /// Sets one value of a tag, in the width that it has.
    #[track_caller]
    pub fn set(&mut self, tag: u64, index: usize, value: u64) {
        let (at, width) = self.value(self.field(tag), index);
        self.set_number(at, width, value);
    }

    /// Sets what stands in the field itself: a value, or the place of the values.
    pub fn set_inside(&mut self, field: Field, value: u64) {
        self.set_number(field.start + 4 + self.wide(), self.wide(), value);
    }
}
