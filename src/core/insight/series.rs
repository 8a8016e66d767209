//! What associations are looked for between: the share of a habit before each check-in, the answers to a question.

/// From so many check-ins on there is a first, rough hint.
pub const MIN_CHECK_INS: usize = 6;

/// A habit, with its share before each check-in; `None` where too little is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// Its name for machines.
    pub item: String,
    /// Its name for people.
    pub name: String,
    /// The share in the days before each check-in.
    pub shares: Vec<Option<f64>>,
}

/// A question, with its answer at each check-in; `None` where it was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionSeries {
    /// Its name for machines.
    pub key: String,
    /// What was asked.
    pub text: String,
    /// From 0 to 10.
    pub answers: Vec<Option<f64>>,
}
