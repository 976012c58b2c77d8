//! The order in which values are computed, and the registers that hold them until their last reader is done.

use super::graph::{Graph, Id, Value};
use super::program::{Action, Operand, Step};

/// Orders what the outputs need; also says how many registers are in use at most.
///
/// An output is stored as soon as it is known. Of an operation's operands the one that takes the most registers comes
/// first, so that its registers are free again when the others are computed (Sethi and Ullman, "The generation of
/// optimal code for arithmetic expressions", Journal of the ACM 17, 1970).
pub(super) fn schedule(graph: &Graph, outputs: &[Id]) -> (Vec<Step>, usize) {
    let mut readers = vec![0; graph.values.len()];
    for &output in outputs {
        if readers[output] == 0 {
            count_readers(graph, output, &mut readers);
        }
        readers[output] += 1;
    }
    let needs = needs(graph);
    let place = vec![None; graph.values.len()];
    let mut schedule = Schedule { graph, needs, readers, place, in_use: Vec::new(), steps: Vec::new() };
    for (index, &output) in outputs.iter().enumerate() {
        schedule.compute(output);
        let from = schedule.operand(output);
        let freed = schedule.read(std::iter::once(output));
        schedule.steps.push(Step { action: Action::Store { output: index, from }, freed });
    }
    (schedule.steps, schedule.in_use.len())
}

/// Adds the readers of everything below a value that had none so far.
fn count_readers(graph: &Graph, id: Id, readers: &mut [usize]) {
    for read in graph.values[id].reads() {
        if readers[read] == 0 {
            count_readers(graph, read, readers);
        }
        readers[read] += 1;
    }
}

/// How many registers each value takes to compute, were nothing shared.
fn needs(graph: &Graph) -> Vec<usize> {
    let mut needs: Vec<usize> = Vec::with_capacity(graph.values.len());
    for value in &graph.values {
        let mut below: Vec<usize> = value.reads().map(|read| needs[read]).collect();
        below.sort_unstable_by(|a, b| b.cmp(a));
        let together = below.iter().enumerate().map(|(held, need)| held + need).max().unwrap_or(0);
        needs.push(if matches!(value, Value::Number(_)) { 0 } else { together.max(1) });
    }
    needs
}

struct Schedule<'a> {
    graph: &'a Graph,
    needs: Vec<usize>,
    /// Of each value, how many reads are still to come.
    readers: Vec<usize>,
    /// The register of each value that is known.
    place: Vec<Option<usize>>,
    /// For each register whether it holds a value that is still read.
    in_use: Vec<bool>,
    steps: Vec<Step>,
}

impl Schedule<'_> {
    fn compute(&mut self, id: Id) {
        let value = self.graph.values[id];
        if self.place[id].is_some() || matches!(value, Value::Number(_)) {
            return;
        }
        let mut order: Vec<Id> = value.reads().collect();
        order.sort_by_key(|read| std::cmp::Reverse(self.needs[*read]));
        for read in order {
            self.compute(read);
        }
        // A step may write where it reads, so what it is the last to read is free before it needs a register.
        let freed = self.read(value.reads());
        let to = self.free_register();
        let action = match value {
            Value::Number(_) => unreachable!("constants are operands"),
            Value::Band(band) => Action::Load { band, to },
            Value::Unary(operation, a) => Action::Unary { operation, a: self.operand(a), to },
            Value::Binary(operation, a, b) => {
                Action::Binary { operation, a: self.operand(a), b: self.operand(b), to }
            }
            Value::Where(condition, a, b) => Action::Where {
                condition: self.operand(condition),
                a: self.operand(a),
                b: self.operand(b),
                to,
            },
        };
        let freed = freed.into_iter().filter(|register| *register != to).collect();
        self.steps.push(Step { action, freed });
        self.place[id] = Some(to);
    }

    /// What a step reads; the register is known even when it was just freed.
    fn operand(&self, id: Id) -> Operand {
        match (self.graph.values[id], self.place[id]) {
            (Value::Number(bits), _) => Operand::Number(f64::from_bits(bits)),
            (_, place) => Operand::Register(place.expect("computed before it is read")),
        }
    }

    /// Counts reads as done; the registers that nobody reads any more.
    fn read(&mut self, reads: impl Iterator<Item = Id>) -> Vec<usize> {
        let mut freed = Vec::new();
        for read in reads {
            self.readers[read] -= 1;
            if let (0, Some(register)) = (self.readers[read], self.place[read]) {
                self.in_use[register] = false;
                freed.push(register);
            }
        }
        freed
    }

    fn free_register(&mut self) -> usize {
        let free = self.in_use.iter().position(|in_use| !in_use);
        let register = free.unwrap_or(self.in_use.len());
        self.in_use.resize(self.in_use.len().max(register + 1), false);
        self.in_use[register] = true;
        register
    }
}
