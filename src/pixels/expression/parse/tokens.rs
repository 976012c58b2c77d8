//! What formulas are written with: spaces, signs, words, names in braces, numbers.

use winnow::Parser;
use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, fail, opt, preceded};
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{Location, Stream};
use winnow::token::{any, take_while};

use super::{Fault, Parsed, Text};

/// What a parser reads, or `None` where it does not know what stands there.
pub(super) fn maybe<'a, T>(
    text: &mut Text<'a>,
    parser: impl Parser<Text<'a>, T, ErrMode<Fault>>,
) -> Parsed<Option<T>> {
    opt(parser).parse_next(text)
}

pub(super) fn spaces(text: &mut Text) -> Parsed<()> {
    multispace0.void().parse_next(text)
}

/// A sign behind any spaces.
pub(super) fn token<'a>(sign: &'static str) -> impl Parser<Text<'a>, &'a str, ErrMode<Fault>> {
    preceded(multispace0, sign)
}

/// A band's or output's description in braces.
pub(super) fn quoted(text: &mut Text) -> Parsed<String> {
    let start = text.current_token_start();
    let inside = preceded('{', take_while(0.., |c: char| c != '}' && c != '{'));
    let Some(inside) = maybe(text, inside)? else { return fail(text) };
    if maybe(text, '}')?.is_none() {
        return Err(cut(start, "this brace is not closed"));
    }
    match inside.trim() {
        "" => Err(cut(start, "expected a band's name between the braces")),
        name => Ok(name.to_owned()),
    }
}

pub(super) fn is_letter(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

pub(super) fn word<'a>(text: &mut Text<'a>) -> Parsed<&'a str> {
    let rest = take_while(0.., |c: char| c.is_alphanumeric() || c == '_');
    (any.verify(|first: &char| is_letter(*first)), rest).take().parse_next(text)
}

pub(super) fn number(text: &mut Text) -> Parsed<f64> {
    let start = text.current_token_start();
    let mantissa = alt(((digit1, opt(('.', opt(digit1)))).void(), ('.', digit1).void()));
    let exponent = (alt(('e', 'E')), opt(alt(('+', '-'))), digit1);
    let digits: &str = match maybe(text, (mantissa, opt(exponent)).take())? {
        Some(digits) => digits,
        None => return Err(cut(start, "expected digits beside the point")),
    };
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(cut(start, "the number is too large")),
    }
}

pub(super) fn cut(at: usize, message: impl Into<String>) -> ErrMode<Fault> {
    ErrMode::Cut(Fault::new(at, message))
}

pub(super) fn fault<T>(text: &Text, message: &str) -> Parsed<T> {
    Err(cut(text.current_token_start(), message))
}

impl<I: Stream + Location> ParserError<I> for Fault {
    type Inner = Fault;

    fn from_input(input: &I) -> Fault {
        Fault::new(input.current_token_start(), "this is not understood")
    }

    fn into_inner(self) -> Result<Fault, Fault> {
        Ok(self)
    }
}
