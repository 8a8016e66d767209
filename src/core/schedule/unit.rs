//! What an amount is counted in: any word, and for those that are known what they are worth in each other.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One unit under all of its spellings.
#[derive(Debug)]
struct Known {
    /// What it measures, and how many of the smallest unit of that one of it is; `None` where it measures itself.
    measure: Option<(Measure, u32)>,
    /// Its spellings; those of two letters or more are read in any case.
    spellings: &'static [&'static str],
    /// What several are called, where a spelling has a form of its own for that.
    plurals: &'static [(&'static str, &'static str)],
}

/// What units that convert have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Mass,
    Volume,
    Time,
    Distance,
}

const fn measured(measure: Measure, factor: u32, spellings: &'static [&'static str]) -> Known {
    Known { measure: Some((measure, factor)), spellings, plurals: &[] }
}

const fn counted(
    spellings: &'static [&'static str],
    plurals: &'static [(&'static str, &'static str)],
) -> Known {
    Known { measure: None, spellings, plurals }
}

/// The units that are known.
const KNOWN: &[Known] = &[
    counted(&["CFU", "KBE", "UFC"], &[]),
    counted(&["IU", "IE", "UI", "I.U.", "I.E.", "U.I."], &[]),
    measured(Measure::Mass, 1_000_000, &["g"]),
    measured(Measure::Mass, 1_000, &["mg"]),
    measured(Measure::Mass, 1, &["ug", "µg", "μg", "mcg"]),
    measured(Measure::Mass, 1_000_000_000, &["kg"]),
    measured(Measure::Volume, 1, &["ml"]),
    measured(Measure::Volume, 10, &["cl"]),
    measured(Measure::Volume, 100, &["dl"]),
    measured(Measure::Volume, 1_000, &["l", "L"]),
    measured(Measure::Time, 1, &["s", "sec", "second", "seconds"]),
    Known {
        measure: Some((Measure::Time, 60)),
        spellings: &["min", "minute", "minutes", "mins"],
        plurals: &[("minute", "minutes")],
    },
    Known {
        measure: Some((Measure::Time, 3_600)),
        spellings: &["h", "hour", "hours", "hr", "hrs"],
        plurals: &[("hour", "hours")],
    },
    measured(Measure::Distance, 1_000, &["km"]),
    measured(Measure::Distance, 1, &["m"]),
    counted(&["kcal"], &[]),
    counted(&["mmol"], &[]),
    counted(&["tablet", "tablets", "tab", "tabs"], &[("tablet", "tablets"), ("tab", "tabs")]),
    counted(&["capsule", "capsules", "cap", "caps"], &[("capsule", "capsules"), ("cap", "caps")]),
    counted(&["softgel", "softgels"], &[("softgel", "softgels")]),
    counted(&["gummy", "gummies"], &[("gummy", "gummies")]),
    counted(&["pill", "pills"], &[("pill", "pills")]),
    counted(&["lozenge", "lozenges"], &[("lozenge", "lozenges")]),
    counted(&["drop", "drops"], &[("drop", "drops")]),
    counted(&["sachet", "sachets"], &[("sachet", "sachets")]),
    counted(&["scoop", "scoops"], &[("scoop", "scoops")]),
    counted(&["spray", "sprays"], &[("spray", "sprays")]),
    counted(&["puff", "puffs"], &[("puff", "puffs")]),
    counted(&["pump", "pumps"], &[("pump", "pumps")]),
    counted(&["patch", "patches"], &[("patch", "patches")]),
    counted(&["vial", "vials"], &[("vial", "vials")]),
    counted(&["ampoule", "ampoules"], &[("ampoule", "ampoules")]),
    counted(&["injection", "injections"], &[("injection", "injections")]),
    counted(&["suppository", "suppositories"], &[("suppository", "suppositories")]),
    counted(&["teaspoon", "teaspoons", "tsp"], &[("teaspoon", "teaspoons")]),
    counted(&["tablespoon", "tablespoons", "tbsp"], &[("tablespoon", "tablespoons")]),
    // The first versions recorded units and doses as pieces.
    counted(
        &["piece", "pieces", "unit", "units", "dose", "doses"],
        &[("piece", "pieces"), ("unit", "units"), ("dose", "doses")],
    ),
    counted(&["portion", "portions"], &[("portion", "portions")]),
    counted(&["glass", "glasses"], &[("glass", "glasses")]),
    counted(&["cup", "cups"], &[("cup", "cups")]),
    counted(&["step", "steps"], &[("step", "steps")]),
    counted(&["time", "times", "session", "sessions"], &[("time", "times"), ("session", "sessions")]),
];

/// The unit of an amount. Two spellings of one unit are equal.
#[derive(Clone, Debug)]
pub struct Unit(Word);

#[derive(Clone, Debug)]
enum Word {
    Known(&'static Known, &'static str),
    Other(Arc<str>),
}

impl Unit {
    /// Returns the unit that a word names; any word names one.
    #[must_use]
    pub fn of(word: &str) -> Self {
        let find = |is_it: &dyn Fn(&str) -> bool| {
            KNOWN
                .iter()
                .find_map(|known| Some((known, *known.spellings.iter().find(|spelling| is_it(spelling))?)))
        };
        let in_any_case =
            |spelling: &str| spelling.chars().count() > 1 && spelling.to_lowercase() == word.to_lowercase();
        match find(&|spelling| spelling == word).or_else(|| find(&in_any_case)) {
            Some((known, spelling)) => Self(Word::Known(known, spelling)),
            None => Self(Word::Other(word.into())),
        }
    }

    /// Returns the unit's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Word::Known(_, spelling) => spelling,
            Word::Other(word) => word,
        }
    }

    /// Returns what several of it are called; the same where that is not known.
    #[must_use]
    pub fn plural(&self) -> &str {
        let word = self.as_str();
        let Word::Known(known, _) = &self.0 else { return word };
        known.plurals.iter().find(|(one, _)| *one == word).map_or(word, |(_, several)| several)
    }

    /// Tells whether it counts pieces that come in a box, such as tablets.
    #[must_use]
    pub fn is_in_boxes(&self) -> bool {
        const PIECES: [&str; 11] = [
            "tablet",
            "capsule",
            "softgel",
            "gummy",
            "pill",
            "lozenge",
            "sachet",
            "patch",
            "vial",
            "ampoule",
            "suppository",
        ];
        PIECES.contains(&self.first_spelling())
    }

    /// Tells whether it counts how often something is done.
    #[must_use]
    pub fn is_times(&self) -> bool {
        self.first_spelling() == "time"
    }

    /// Returns how many of a common smaller unit one of this and one of another is; `None` where they do not
    /// convert.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> Option<(u32, u32)> {
        if self == other {
            return Some((1, 1));
        }
        let (Word::Known(mine, _), Word::Known(theirs, _)) = (&self.0, &other.0) else { return None };
        let ((mine, factor), (theirs, other_factor)) = (mine.measure?, theirs.measure?);
        (mine == theirs).then_some((factor, other_factor))
    }

    /// Returns the spelling that stands for all others.
    pub(super) fn first_spelling(&self) -> &str {
        match &self.0 {
            Word::Known(known, _) => known.spellings[0],
            Word::Other(word) => word,
        }
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.first_spelling() == other.first_spelling()
    }
}

impl Eq for Unit {}

impl Hash for Unit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.first_spelling().hash(state);
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
