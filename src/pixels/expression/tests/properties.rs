use proptest::prelude::*;

use super::bands;
use crate::pixels::Buffer;
use crate::pixels::expression::tree::{Binary, Tree, Unary};
use crate::pixels::expression::*;

/// Numbers that find the corners of operations.
pub(super) fn numbers() -> impl Strategy<Value = f64> {
    let special = [0.0, -0.0, 0.5, 1.0, 1.5, 2.5, -3.0, 2.0, 8_388_607.5, 16_777_216.0, 1e30, 1e-30];
    prop_oneof![
        prop::sample::select(special.to_vec()),
        (-100i32..100).prop_map(f64::from),
        (-1000i32..1000).prop_map(|n| f64::from(n) / 8.0),
        any::<f32>().prop_map(f64::from).prop_filter("a number", |n| n.is_finite()),
    ]
}

pub(super) fn trees() -> impl Strategy<Value = Tree> {
    use Binary::*;
    use Unary::*;
    let leaf = prop_oneof![
        1 => numbers().prop_map(|number| Tree::Number(number.abs())),
        4 => (1..=4usize).prop_map(|band| Tree::Band(format!("b{band}"))),
    ];
    leaf.prop_recursive(6, 40, 3, |part| {
        let mut functions = vec![Negate, Not, Square];
        functions.extend(Unary::FUNCTIONS.map(|(_, function)| function));
        let joined = vec![
            Add,
            Subtract,
            Multiply,
            Divide,
            Remainder,
            Power,
            Less,
            LessEqual,
            Greater,
            GreaterEqual,
            Equal,
            NotEqual,
            And,
            Or,
            Min,
            Max,
            Atan2,
        ];
        let pair = (part.clone(), part.clone());
        prop_oneof![
            2 => (prop::sample::select(functions), part.clone()).prop_map(|(f, a)| Tree::unary(f, a)),
            5 => (prop::sample::select(joined), pair).prop_map(|(f, (a, b))| Tree::binary(f, a, b)),
            1 => (part.clone(), part.clone(), part).prop_map(|(c, a, b)| Tree::Where(Box::new([c, a, b]))),
        ]
    })
}

/// The tree as a text with parentheses around everything.
fn written(tree: &Tree) -> String {
    let parts: Vec<String> = tree.parts().iter().map(|part| format!("({})", written(part))).collect();
    match tree {
        Tree::Number(number) => format!("{number:?}"),
        Tree::Band(name) => format!("{{{name}}}"),
        Tree::Unary(operation, _) => operation.written(&parts[0]),
        Tree::Binary(operation, _) => operation.written(&parts[0], &parts[1]),
        Tree::Where(_) => format!("where({})", parts.join(", ")),
    }
}

/// Runs the formulas over pixels of four bands and compares every one with the slow evaluator, bit by bit.
fn compare<F: Real>(formulas: &[Formula], pixels: &[F], present: &[u8]) {
    let mut inputs = Buffer::zeros(F::TYPE, pixels.len());
    inputs.pixels_mut::<F>().copy_from_slice(pixels);
    let program = Program::compile(formulas, &bands(), &[F::TYPE; 4]).unwrap();
    // Constants alone do not take f64 because the raster has it, and a wide one takes it always.
    if program.precision().bytes() != F::TYPE.bytes() {
        return;
    }
    let count = pixels.len() / 4;
    let mut outputs = Buffer::zeros(F::TYPE, count * formulas.len());
    let mut valid = vec![0; outputs.len()];
    Evaluator::default().run(&program, &inputs, Present::Bands(present), &mut outputs, &mut valid);
    for (index, formula) in formulas.iter().enumerate() {
        for pixel in 0..count {
            let band = |name: &str| {
                let at = find_band(name, &bands()).unwrap() * count + pixel;
                (present[at] != 0).then_some(pixels[at])
            };
            let slow = formula.value::<F>(&band).map(|value| value.to_f64().to_bits());
            let at = index * count + pixel;
            let fast = outputs.pixels::<F>()[at].to_f64();
            assert_eq!((valid[at] != 0).then(|| fast.to_bits()), slow, "{} of {formula:?}\n{program}", fast);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn fast_and_slow_agree_bit_by_bit(
        trees in prop::collection::vec(trees(), 1..4),
        pixels in prop::collection::vec(numbers(), 12),
        repeats in prop_oneof![Just(1usize), Just(3), Just(LANES), Just(LANES + 77)],
        absent in 0usize..40,
    ) {
        let formulas: Vec<Formula> = trees.into_iter().map(|tree| Formula { name: None, tree }).collect();
        let pixels: Vec<f64> = pixels.chunks(3).flat_map(|band| band.repeat(repeats)).collect();
        let present: Vec<u8> = (0..pixels.len()).map(|at| u8::from(at % 41 != absent)).collect();
        compare::<f64>(&formulas, &pixels, &present);
        let single: Vec<f32> = pixels.iter().map(|pixel| *pixel as f32).collect();
        compare::<f32>(&formulas, &single, &present);
    }

    #[test]
    fn trees_come_back_from_their_text(tree in trees()) {
        let text = written(&tree);
        let formulas = Formula::parse(&format!("{{an output}} = {text}; {text}")).unwrap();
        prop_assert_eq!(formulas[0].name(), Some("an output"));
        prop_assert_eq!(&formulas[0].tree, &tree);
        prop_assert_eq!(&formulas[1], &Formula { name: None, tree });
    }

    #[test]
    fn no_text_panics(
        text in prop_oneof![
            any::<String>(),
            prop::collection::vec(
                prop::sample::select(vec![
                    "b1", "B04", "{", "}", "(", ")", ",", ";", "=", "==", "!", "~", "not", "and", "or", "&", "|",
                    "-", "+", "*", "**", "/", "//", "%", "<", ">", "<=", "where", "clip", "min(", "nodata", "1",
                    ".", "2e", "1e9", " ", "\n", "ä", "²", "é", "\u{301}",
                ]),
                0..30,
            ).prop_map(|words| words.concat()),
        ]
    ) {
        match Formula::parse(&text) {
            Ok(formulas) => prop_assert!(!formulas.is_empty()),
            Err(message) => prop_assert!(message.ends_with('^')),
        }
    }
}
