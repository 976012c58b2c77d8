//! A program as text, a line a step: what `--dry-run -v` shows.

use std::fmt::{Display, Formatter, Result};

use super::LANES;
use super::program::{Action, Operand, Precision, Program, Step};

impl Display for Program {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let precision = match self.precision {
            Precision::Single => "f32",
            Precision::Double => "f64",
        };
        writeln!(out, "formulas in {precision}, {LANES} pixels at a time:")?;
        for step in &self.steps {
            let action = self.action(step);
            let freed: Vec<String> = step.freed.iter().map(|register| format!("r{register}")).collect();
            match freed.is_empty() {
                true => writeln!(out, "  {action}")?,
                false => writeln!(out, "  {action:<38} frees {}", freed.join(", "))?,
            }
        }
        let (registers, bytes) = (self.registers, self.bytes());
        write!(out, "  at most {registers} registers in use and one spare, {bytes} bytes a worker")
    }
}

impl Program {
    fn action(&self, step: &Step) -> String {
        match step.action {
            Action::Load { band, to } => format!("r{to} = {}", self.bands[band]),
            Action::Unary { operation, a, to } => format!("r{to} = {}", operation.written(&shown(a))),
            Action::Binary { operation, a, b, to } => {
                format!("r{to} = {}", operation.written(&shown(a), &shown(b)))
            }
            Action::Where { condition, a, b, to } => {
                format!("r{to} = where({}, {}, {})", shown(condition), shown(a), shown(b))
            }
            Action::Store { output, from } => match &self.outputs[output].name {
                Some(name) => format!("{name} = {}", shown(from)),
                None => format!("output {} = {}", output + 1, shown(from)),
            },
        }
    }
}

fn shown(operand: Operand) -> String {
    match operand {
        Operand::Register(register) => format!("r{register}"),
        Operand::Number(number) if number.is_nan() => "nodata".to_owned(),
        Operand::Number(number) => format!("{number:?}").trim_end_matches(".0").to_owned(),
    }
}
