//! Text to trees, by a Pratt parser with Python's precedences. What is wrong is said with its place.
//!
//! Texts are not trusted: their length and their depth have a limit, so that no text takes the stack.

mod fault;
mod operators;
mod tokens;
mod vocabulary;

use winnow::Parser;
use winnow::combinator::{alt, eof, expression, fail, not, peek, preceded, separated, terminated};
use winnow::error::ErrMode;
use winnow::stream::{LocatingSlice, Location, Stateful};
use winnow::token::any;

use super::Formula;
use super::tree::Tree;
pub(super) use fault::Fault;
use operators::{Part, infix, prefix};
use tokens::{cut, fault, is_letter, maybe, number, quoted, spaces, token, word};

/// Bytes that a text may have.
const LONGEST: usize = 1 << 14;

/// Operations that may stand inside each other.
pub(super) const DEEPEST: usize = 150;

/// A text, the place in it, and how deep inside other operations that place lies.
type Text<'a> = Stateful<LocatingSlice<&'a str>, usize>;
type Parsed<T> = Result<T, ErrMode<Fault>>;

/// All formulas of a text.
pub(super) fn formulas(text: &str) -> Result<Vec<Formula>, Fault> {
    if text.len() > LONGEST {
        return Err(Fault::new(LONGEST, format!("the text is longer than {LONGEST} bytes")));
    }
    let mut rest = Stateful { input: LocatingSlice::new(text), state: 0 };
    all_formulas(&mut rest).map_err(|error| error.into_inner().unwrap_or_else(|_| Fault::new(0, "")))
}

fn all_formulas(text: &mut Text) -> Parsed<Vec<Formula>> {
    let mut formulas = vec![formula(text)?];
    loop {
        let separator = maybe(text, token(";"))?;
        spaces(text)?;
        if maybe(text, eof)?.is_some() {
            return Ok(formulas);
        }
        if separator.is_none() {
            return fault(text, "expected an operator, ';' or the end");
        }
        let next = formula(text)?;
        formulas.push(next);
    }
}

fn formula(text: &mut Text) -> Parsed<Formula> {
    spaces(text)?;
    let assigned = terminated(alt((word.map(str::to_owned), quoted)), (token("="), not('=')));
    let name = maybe(text, assigned)?;
    let Part { tree, .. } = whole(text)?;
    Ok(Formula { name, tree })
}

/// A formula, or what stands in parentheses or between the commas of a function.
fn whole(text: &mut Text) -> Parsed<Part> {
    expression(operand).prefix(prefix).infix(infix).parse_next(text)
}

fn operand(text: &mut Text) -> Parsed<Part> {
    spaces(text)?;
    let start = text.current_token_start();
    let leaf = |tree| Part::leaf(tree, start);
    match maybe(text, peek(any))? {
        Some('(') => {
            enter(text)?;
            let inner = preceded('(', whole).parse_next(text)?;
            close(text, "expected an operator or ')'")?;
            Ok(Part { start, bare: None, ..inner })
        }
        Some('{') => quoted(text).map(Tree::Band).map(leaf),
        Some('0'..='9' | '.') => number(text).map(Tree::Number).map(leaf),
        Some(first) if is_letter(first) => named(text, start),
        _ => fail(text),
    }
}

/// What begins with a word: a function, a band, no data.
fn named(text: &mut Text, start: usize) -> Parsed<Part> {
    let name = word(text)?;
    let leaf = |tree| Part::leaf(tree, start);
    match name {
        "and" | "or" | "not" => fail(text),
        "nan" | "nodata" => Ok(leaf(Tree::Number(f64::NAN))),
        _ if maybe(text, peek(token("(")))?.is_some() => {
            enter(text)?;
            token("(").parse_next(text)?;
            let parts: Vec<Part> = separated(1.., whole, token(",")).parse_next(text)?;
            close(text, "expected an operator, ',' or ')'")?;
            let depth = parts.iter().map(|part| part.depth).max().unwrap_or(0) + parts.len();
            fits(depth, start)?;
            let trees = parts.into_iter().map(|part| part.tree).collect();
            let tree = vocabulary::call(name, trees).map_err(|message| cut(start, message))?;
            Ok(Part { tree, depth, start, bare: None })
        }
        _ => Ok(leaf(Tree::Band(name.to_owned()))),
    }
}

/// One step deeper into the text; whoever enters leaves, unless the text is refused.
fn enter(text: &mut Text) -> Parsed<()> {
    text.state += 1;
    fits(text.state, text.current_token_start())
}

fn close(text: &mut Text, expected: &str) -> Parsed<()> {
    text.state -= 1;
    spaces(text)?;
    if maybe(text, ')')?.is_some() { Ok(()) } else { fault(text, expected) }
}

/// Whether so many operations may stand inside each other.
fn fits(depth: usize, at: usize) -> Parsed<()> {
    if depth > DEEPEST {
        return Err(cut(at, format!("more than {DEEPEST} operations stand inside each other here")));
    }
    Ok(())
}
