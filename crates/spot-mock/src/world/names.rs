//! Names in the generated test data, composed from small word lists.
//!
//! A generated name is stored as a few numbers, and becomes a string only when the string is
//! needed. Therefore the mock generates twelve thousand tracks within milliseconds.

use std::fmt;

use crate::world::rng::Rng;

/// A generated name, or a name from custom test data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    shape: Shape,
    words: [u8; 3],
    number: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Person,
    Band,
    Ensemble,
    Image,
    Place,
    Motion,
    Single,
    Label,
    Mix,
    Show,
    Numbered(&'static str),
    Own(Box<str>),
}

impl Name {
    pub(crate) fn artist(rng: &mut Rng) -> Self {
        let shape = match rng.between(0, 9) {
            0..=4 => Shape::Person,
            5..=7 => Shape::Band,
            _ => Shape::Ensemble,
        };
        Self::new(shape, rng)
    }

    pub(crate) fn person(rng: &mut Rng) -> Self {
        Self::new(Shape::Person, rng)
    }

    /// Generates the title of a track, an album or an audiobook.
    pub(crate) fn title(rng: &mut Rng) -> Self {
        let shape = match rng.between(0, 9) {
            0..=3 => Shape::Image,
            4..=5 => Shape::Place,
            6..=7 => Shape::Motion,
            _ => Shape::Single,
        };
        Self::new(shape, rng)
    }

    pub(crate) fn label(rng: &mut Rng) -> Self {
        Self::new(Shape::Label, rng)
    }

    pub(crate) fn playlist(rng: &mut Rng) -> Self {
        Self::new(Shape::Mix, rng)
    }

    pub(crate) fn show(rng: &mut Rng) -> Self {
        Self::new(Shape::Show, rng)
    }

    /// Generates a numbered title: `Episode 12: Quiet Harbour`.
    pub(crate) fn numbered(kind: &'static str, number: u16, rng: &mut Rng) -> Self {
        Self { number, ..Self::new(Shape::Numbered(kind), rng) }
    }

    /// A name from custom test data.
    pub(crate) fn own(name: &str) -> Self {
        Self { shape: Shape::Own(name.into()), words: [0; 3], number: 0 }
    }

    fn new(shape: Shape, rng: &mut Rng) -> Self {
        let [first, second, third, ..] = rng.next().to_le_bytes();
        Self { shape, words: [first, second, third], number: 0 }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.words;
        match &self.shape {
            Shape::Own(name) => f.write_str(name),
            Shape::Person => write!(f, "{} {}{}", word(GIVEN, a), word(ONSETS, b), word(CODAS, c)),
            Shape::Band => write!(f, "{}{} {}", word(ONSETS, a), word(CODAS, b), word(GROUPS, c)),
            Shape::Ensemble => write!(f, "The {} {}", word(ADJECTIVES, a), word(CREWS, b)),
            Shape::Image => write!(f, "{} {}", word(ADJECTIVES, a), word(NOUNS, b)),
            Shape::Place => {
                write!(f, "{} {} the {}", word(NOUNS, a), word(LINKS, b), word(NOUNS, c))
            }
            Shape::Motion => write!(f, "{} {}", word(MOTIONS, a), word(NOUNS, b)),
            Shape::Single => write!(f, "{}{}", word(ONSETS, a), word(CODAS, b)),
            Shape::Label => write!(f, "{} & {} Records", word(NOUNS, a), word(NOUNS, b)),
            Shape::Mix => write!(f, "{} {}", word(MOODS, a), word(OCCASIONS, b)),
            Shape::Show => write!(f, "The {} {}", word(NOUNS, a), word(FORMATS, b)),
            Shape::Numbered(kind) => {
                write!(f, "{kind} {}: {} {}", self.number, word(ADJECTIVES, a), word(NOUNS, b))
            }
        }
    }
}

fn word(list: &'static [&'static str], number: u8) -> &'static str {
    list.get(usize::from(number) % list.len().max(1)).copied().unwrap_or_default()
}

pub(crate) const GENRES: &[&str] = &[
    "ambient harbour",
    "attic folk",
    "brass drift",
    "chamber static",
    "cloud choir",
    "coastal pop",
    "desert dub",
    "glass house",
    "lantern jazz",
    "late tram",
    "moss rock",
    "night ferry",
    "paper techno",
    "rain hop",
    "rooftop soul",
    "velvet punk",
];

pub(crate) const CATEGORIES: &[&str] = &[
    "Mellow",
    "Long Drive",
    "Deep Work",
    "Kitchen",
    "Slow Evening",
    "Rainy Window",
    "First Snow",
    "Night Bus",
    "Garden",
    "Running",
    "Stretching",
    "Reading",
    "Board Games",
    "Old Friends",
    "New Friends",
    "Small Party",
    "Big Party",
    "Bonfire",
    "Seaside",
    "Mountains",
    "City Walk",
    "Museum",
    "Harvest",
    "Spring Cleaning",
    "Siesta",
    "Sleep",
    "Waking Up",
    "Commute",
    "Homework",
    "Sketching",
    "Repair Shop",
    "Baking",
    "Market Day",
    "Lullabies",
    "Marching",
    "Waltz",
    "Brass",
    "Choirs",
    "Strings",
    "Field Recordings",
];

const GIVEN: &[&str] = &[
    "Alma", "Bruno", "Celia", "Dario", "Edda", "Fenna", "Goran", "Hedda", "Ivo", "Jorun", "Kaja",
    "Lio", "Mirela", "Nils", "Odile", "Pavel", "Quirin", "Runa", "Saskia", "Tomas", "Ulla", "Vito",
    "Wanda", "Xenia", "Yorick", "Zdenka",
];
const ONSETS: &[&str] = &[
    "Ald", "Bren", "Cor", "Dravi", "Elm", "Fjor", "Gal", "Hask", "Ild", "Jun", "Kest", "Lor",
    "Mav", "Nor", "Orl", "Pell", "Quen", "Rask", "Sev", "Torv", "Und", "Vesk", "Wil", "Yar", "Zel",
];
const CODAS: &[&str] = &[
    "a", "ander", "berg", "dal", "eth", "ford", "gren", "holt", "ik", "klund", "low", "mere",
    "nov", "ora", "quist", "rin", "sen", "strom", "thal", "une", "vik", "wick", "zar",
];
const GROUPS: &[&str] = &[
    "Collective",
    "Ensemble",
    "Engine",
    "Orchard",
    "Quartet",
    "Sound",
    "Society",
    "Transit",
    "Union",
    "Works",
];
const CREWS: &[&str] = &[
    "Archivists",
    "Cartographers",
    "Foxes",
    "Gardeners",
    "Herons",
    "Lanterns",
    "Librarians",
    "Machinists",
    "Orchestra",
    "Pilots",
    "Sailors",
    "Swifts",
    "Weavers",
];
const ADJECTIVES: &[&str] = &[
    "Amber",
    "Borrowed",
    "Brittle",
    "Copper",
    "Distant",
    "Early",
    "Electric",
    "Faded",
    "Folded",
    "Gentle",
    "Golden",
    "Hollow",
    "Idle",
    "Indigo",
    "Late",
    "Little",
    "Lost",
    "Luminous",
    "Marble",
    "Narrow",
    "Northern",
    "Open",
    "Paper",
    "Patient",
    "Quiet",
    "Restless",
    "Salted",
    "Second",
    "Silver",
    "Slow",
    "Sudden",
    "Tidal",
    "Unsent",
    "Velvet",
    "Violet",
    "Wandering",
    "Winter",
    "Wooden",
];
const NOUNS: &[&str] = &[
    "Acorn",
    "Anchor",
    "Aviary",
    "Bell",
    "Bridge",
    "Canal",
    "Cinder",
    "Compass",
    "Curtain",
    "Dune",
    "Ember",
    "Feather",
    "Ferry",
    "Garden",
    "Harbour",
    "Horizon",
    "Island",
    "Juniper",
    "Kettle",
    "Lantern",
    "Ledger",
    "Letter",
    "Lighthouse",
    "Meadow",
    "Mirror",
    "Moth",
    "Needle",
    "Orchard",
    "Paddle",
    "Pendulum",
    "Quarry",
    "River",
    "Rooftop",
    "Satellite",
    "Shoreline",
    "Signal",
    "Spindle",
    "Stairwell",
    "Station",
    "Thicket",
    "Thread",
    "Tide",
    "Tower",
    "Valley",
    "Window",
    "Yard",
];
const LINKS: &[&str] =
    &["Above", "Across", "After", "Before", "Behind", "Beneath", "Under", "Without"];
const MOTIONS: &[&str] = &[
    "Carrying", "Chasing", "Crossing", "Drawing", "Finding", "Keeping", "Leaving", "Losing",
    "Mending", "Naming", "Painting", "Sailing", "Tracing", "Waking",
];
const MOODS: &[&str] = &[
    "Blue",
    "Bright",
    "Calm",
    "Cosy",
    "Dusty",
    "Foggy",
    "Hazy",
    "Loud",
    "Lucky",
    "Soft",
    "Sunny",
    "Weightless",
];
const OCCASIONS: &[&str] = &[
    "Afternoons",
    "Arrivals",
    "Breakfast",
    "Departures",
    "Detours",
    "Evenings",
    "Holidays",
    "Mondays",
    "Nights",
    "Repairs",
    "Sundays",
    "Walks",
];
const FORMATS: &[&str] =
    &["Dispatch", "Dialogues", "Files", "Hour", "Letters", "Podcast", "Report", "Review"];
