//! What a check-in asks.

use std::borrow::Cow;

/// A question that is answered with 0 to 10.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Its name.
    pub key: Cow<'static, str>,
    /// What is asked.
    pub text: Cow<'static, str>,
    /// What 0 means.
    pub low: Cow<'static, str>,
    /// What 10 means.
    pub high: Cow<'static, str>,
}

/// Which questions a check-in asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum QuestionSet {
    /// All of the shipped ones.
    #[default]
    Full,
    /// Three of them, for every month.
    Short,
    /// The person's own.
    Custom(Vec<Question>),
}
