//! Operators: how tightly they bind, and what they may stand between.

use winnow::Parser;
use winnow::combinator::{Infix, Prefix, alt, fail};
use winnow::error::ErrMode;
use winnow::stream::Location;

use super::tokens::{cut, fault, maybe, spaces, word};
use super::{Fault, Parsed, Text, enter, fits};
use crate::pixels::expression::tree::{Binary, Tree, Unary};

/// A part of a formula that was read.
pub(super) struct Part {
    pub tree: Tree,
    pub depth: usize,
    pub start: usize,
    /// Whether its last operation is a comparison or `not` outside parentheses.
    pub bare: Option<Bare>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bare {
    Comparison,
    Not,
}

impl Part {
    pub(super) fn leaf(tree: Tree, start: usize) -> Part {
        Part { tree, depth: 1, start, bare: None }
    }
}

// How tightly operators bind, as in Python. Infix operators that bind alike are taken from the left, `**` from the
// right.
const OR: i64 = 10;
const AND: i64 = 20;
const NOT: i64 = 30;
const COMPARISON: i64 = 40;
const EITHER: i64 = 50;
const BOTH: i64 = 60;
const SUM: i64 = 70;
const PRODUCT: i64 = 80;
const SIGN: i64 = 90;
const POWER: i64 = 100;

/// Signs between two values, known and not; one that begins with another comes before it.
const SIGNS: [&str; 19] =
    ["**", "*", "//", "/", "%", "+", "-", "<=", "<", ">=", ">", "==", "=", "!=", "&&", "&", "||", "|", "^"];

pub(super) fn prefix<'a>(text: &mut Text<'a>) -> Parsed<Prefix<Text<'a>, Part, ErrMode<Fault>>> {
    spaces(text)?;
    let sign = maybe(text, alt(("-", "+", "!", "~", word.verify(|word: &str| word == "not"))))?;
    let prefix: Prefix<_, _, _> = match sign {
        Some("-") => Prefix(SIGN, |text: &mut Text, part| signed(text, Unary::Negate, part)),
        Some("+") => Prefix(SIGN, |text: &mut Text, part| {
            text.state -= 1;
            without_not(&part)?;
            Ok(part)
        }),
        Some("!") => Prefix(SIGN, |text: &mut Text, part| signed(text, Unary::Not, part)),
        Some("~") => Prefix(SIGN, |text: &mut Text, part: Part| {
            condition("~", &part)?;
            signed(text, Unary::Not, part)
        }),
        Some(_) => Prefix(NOT, |text: &mut Text, part| {
            Ok(Part { bare: Some(Bare::Not), ..signed(text, Unary::Not, part)? })
        }),
        None => return fault(text, "expected a number, a band, a function or '('"),
    };
    enter(text)?;
    Ok(prefix)
}

pub(super) fn infix<'a>(text: &mut Text<'a>) -> Parsed<Infix<Text<'a>, Part, ErrMode<Fault>>> {
    use Binary::{
        Add, And, Divide, Equal, Greater, GreaterEqual, Less, LessEqual, Multiply, NotEqual, Or, Power,
        Remainder, Subtract,
    };
    use Infix::{Left, Right};
    spaces(text)?;
    let start = text.current_token_start();
    let sign = alt((alt(SIGNS), word)).parse_next(text)?;
    Ok(match sign {
        "**" => {
            enter(text)?;
            Right(POWER, |text, a, b| {
                text.state -= 1;
                joined(Power, a, b)
            })
        }
        "*" => Left(PRODUCT, |_, a, b| joined(Multiply, a, b)),
        "/" => Left(PRODUCT, |_, a, b| joined(Divide, a, b)),
        "%" => Left(PRODUCT, |_, a, b| joined(Remainder, a, b)),
        "+" => Left(SUM, |_, a, b| joined(Add, a, b)),
        "-" => Left(SUM, |_, a, b| joined(Subtract, a, b)),
        "&" => Left(BOTH, |_, a, b| conditions("&", And, a, b)),
        "|" => Left(EITHER, |_, a, b| conditions("|", Or, a, b)),
        "<" => Left(COMPARISON, |_, a, b| compared(Less, a, b)),
        "<=" => Left(COMPARISON, |_, a, b| compared(LessEqual, a, b)),
        ">" => Left(COMPARISON, |_, a, b| compared(Greater, a, b)),
        ">=" => Left(COMPARISON, |_, a, b| compared(GreaterEqual, a, b)),
        "==" => Left(COMPARISON, |_, a, b| compared(Equal, a, b)),
        "!=" => Left(COMPARISON, |_, a, b| compared(NotEqual, a, b)),
        "and" => Left(AND, |_, a, b| grown(And, a, b)),
        "or" => Left(OR, |_, a, b| grown(Or, a, b)),
        "^" => return Err(cut(start, "'^' is not known: a power is written '**'")),
        "//" => return Err(cut(start, "'//' is not known: write floor(a / b)")),
        "=" => return Err(cut(start, "values are compared by '=='; a formula has one name")),
        "&&" => return Err(cut(start, "'&&' is not known: write 'and'")),
        "||" => return Err(cut(start, "'||' is not known: write 'or'")),
        _ => return fail(text),
    })
}

/// A sign or `not` before its operand, which `prefix` entered.
fn signed(text: &mut Text, operation: Unary, part: Part) -> Parsed<Part> {
    text.state -= 1;
    if operation == Unary::Negate {
        without_not(&part)?;
    }
    let (depth, start) = (part.depth + 1, part.start);
    fits(depth, start)?;
    Ok(Part { tree: Tree::unary(operation, part.tree), depth, start, bare: None })
}

fn grown(operation: Binary, a: Part, b: Part) -> Parsed<Part> {
    let (depth, start) = (a.depth.max(b.depth) + 1, a.start);
    fits(depth, start)?;
    Ok(Part { tree: Tree::binary(operation, a.tree, b.tree), depth, start, bare: None })
}

/// An operation that binds more tightly than `not`.
fn joined(operation: Binary, a: Part, b: Part) -> Parsed<Part> {
    without_not(&b)?;
    grown(operation, a, b)
}

/// As in Python, `not` follows no operator that binds more tightly: it would reach further than it looks.
fn without_not(part: &Part) -> Parsed<()> {
    if part.bare == Some(Bare::Not) {
        return Err(cut(
            part.start,
            "'not' binds less tightly than what is before it: put it in parentheses",
        ));
    }
    Ok(())
}

fn compared(operation: Binary, a: Part, b: Part) -> Parsed<Part> {
    if a.bare == Some(Bare::Comparison) {
        let message = "comparisons are not chained: instead of a < b < c write a < b and b < c";
        return Err(cut(b.start, message));
    }
    Ok(Part { bare: Some(Bare::Comparison), ..joined(operation, a, b)? })
}

/// `&` or `|`, which join bits in Python: so only what has no other bits, and reads the same here and there.
fn conditions(sign: &str, operation: Binary, a: Part, b: Part) -> Parsed<Part> {
    condition(sign, &a)?;
    condition(sign, &b)?;
    joined(operation, a, b)
}

fn condition(sign: &str, part: &Part) -> Parsed<()> {
    if part.tree.is_condition() {
        return Ok(());
    }
    let message = format!(
        "'{sign}' needs a condition here: put comparisons in parentheses, or write 'and', 'or', 'not'; bits of \
         numbers are not computed"
    );
    Err(cut(part.start, message))
}
