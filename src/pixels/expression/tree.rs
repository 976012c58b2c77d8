//! A formula as a tree of operations, as it was written.

/// What is computed of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) enum Unary {
    Negate,
    Not,
    /// `x ** 2`: the product, which is exact to the last bit everywhere, as no general power is.
    Square,
    Abs,
    Sqrt,
    Exp,
    Log,
    Log10,
    Log2,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Floor,
    Ceil,
    Round,
}

impl Unary {
    /// Functions of one value by name.
    pub(super) const FUNCTIONS: [(&str, Unary); 15] = [
        ("abs", Unary::Abs),
        ("acos", Unary::Acos),
        ("asin", Unary::Asin),
        ("atan", Unary::Atan),
        ("ceil", Unary::Ceil),
        ("cos", Unary::Cos),
        ("exp", Unary::Exp),
        ("floor", Unary::Floor),
        ("log", Unary::Log),
        ("log10", Unary::Log10),
        ("log2", Unary::Log2),
        ("round", Unary::Round),
        ("sin", Unary::Sin),
        ("sqrt", Unary::Sqrt),
        ("tan", Unary::Tan),
    ];

    /// The operation on `value`, written.
    pub(super) fn written(self, value: &str) -> String {
        match self {
            Unary::Negate => format!("-{value}"),
            Unary::Not => format!("not {value}"),
            Unary::Square => format!("{value} ** 2"),
            _ => {
                let function = Unary::FUNCTIONS.iter().find(|(_, unary)| *unary == self);
                format!("{}({value})", function.map_or("", |(name, _)| name))
            }
        }
    }
}

/// What is computed of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) enum Binary {
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
}

impl Binary {
    /// Whether it compares, so that it gives 1 or 0.
    pub(super) fn compares(self) -> bool {
        use Binary::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Less | LessEqual | Greater | GreaterEqual | Equal | NotEqual)
    }

    /// The operation on `left` and `right`, written.
    pub(super) fn written(self, left: &str, right: &str) -> String {
        let sign = match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Remainder => "%",
            Binary::Power => "**",
            Binary::Less => "<",
            Binary::LessEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterEqual => ">=",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::And => "and",
            Binary::Or => "or",
            Binary::Min => return format!("min({left}, {right})"),
            Binary::Max => return format!("max({left}, {right})"),
            Binary::Atan2 => return format!("atan2({left}, {right})"),
        };
        format!("{left} {sign} {right}")
    }
}

/// A formula or a part of it; at most [`super::parse::DEEPEST`] operations deep.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Tree {
    /// A constant; NaN is no data.
    Number(f64),
    /// A band by the name that was written.
    Band(String),
    Unary(Unary, Box<Tree>),
    Binary(Binary, Box<[Tree; 2]>),
    /// The second where the first is not zero, else the third.
    Where(Box<[Tree; 3]>),
}

impl Tree {
    pub(super) fn unary(operation: Unary, value: Tree) -> Tree {
        Tree::Unary(operation, Box::new(value))
    }

    pub(super) fn binary(operation: Binary, left: Tree, right: Tree) -> Tree {
        match (operation, &right) {
            (Binary::Power, Tree::Number(2.0)) => Tree::unary(Unary::Square, left),
            _ => Tree::Binary(operation, Box::new([left, right])),
        }
    }

    /// The parts that the operation reads.
    pub(super) fn parts(&self) -> &[Tree] {
        match self {
            Tree::Number(_) | Tree::Band(_) => &[],
            Tree::Unary(_, value) => std::slice::from_ref(value),
            Tree::Binary(_, values) => &values[..],
            Tree::Where(values) => &values[..],
        }
    }

    /// Whether the value can only be 1, 0 or no data.
    pub(super) fn is_condition(&self) -> bool {
        match self {
            Tree::Unary(operation, _) => *operation == Unary::Not,
            Tree::Binary(operation, _) => {
                operation.compares() || matches!(operation, Binary::And | Binary::Or)
            }
            _ => false,
        }
    }

    /// Calls `see` with every part below and with the tree itself, in the order written.
    pub(super) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Tree)) {
        self.parts().iter().for_each(|part| part.visit(see));
        see(self);
    }
}
