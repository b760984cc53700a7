//! Shows with their episodes and audiobooks with their chapters, of one's own.

use serde::Deserialize;

/// A podcast with its episodes.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a show exists once it was added to a world"]
pub struct Show {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) publisher: String,
    #[serde(default)]
    pub(crate) explicit: bool,
    #[serde(default)]
    pub(crate) episodes: Vec<Episode>,
}

/// An episode of a show.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an episode exists once it was added to a show"]
pub struct Episode {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default = "half_an_hour")]
    pub(crate) duration_ms: u32,
    pub(crate) released: Option<String>,
    #[serde(default)]
    pub(crate) heard_ms: u32,
}

/// An audiobook with its chapters.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an audiobook exists once it was added to a world"]
pub struct Audiobook {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) author: String,
    #[serde(default)]
    pub(crate) narrator: String,
    #[serde(default)]
    pub(crate) publisher: String,
    #[serde(default)]
    pub(crate) chapters: Vec<Chapter>,
}

/// A chapter of an audiobook.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a chapter exists once it was added to an audiobook"]
pub struct Chapter {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default = "half_an_hour")]
    pub(crate) duration_ms: u32,
    #[serde(default)]
    pub(crate) heard_ms: u32,
}

const fn half_an_hour() -> u32 {
    1_800_000
}

impl Show {
    /// A show of this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            publisher: String::new(),
            explicit: false,
            episodes: Vec::new(),
        }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Who publishes it.
    pub fn publisher(mut self, publisher: impl Into<String>) -> Self {
        self.publisher = publisher.into();
        self
    }

    /// Whether it is marked as explicit. Default: no.
    pub fn explicit(mut self, explicit: bool) -> Self {
        self.explicit = explicit;
        self
    }

    /// Adds an episode that is older than the others.
    pub fn episode(mut self, episode: Episode) -> Self {
        self.episodes.push(episode);
        self
    }
}

impl Episode {
    /// An episode of this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            duration_ms: half_an_hour(),
            released: None,
            heard_ms: 0,
        }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The length in milliseconds. Default: half an hour.
    pub fn duration_ms(mut self, duration: u32) -> Self {
        self.duration_ms = duration;
        self
    }

    /// The day of release: `2024-05-03`. Default: 2026-11-02, when the mock's clock starts.
    pub fn released(mut self, date: impl Into<String>) -> Self {
        self.released = Some(date.into());
        self
    }

    /// Where the user stopped listening, in milliseconds from the beginning.
    pub fn heard_ms(mut self, heard: u32) -> Self {
        self.heard_ms = heard;
        self
    }
}

impl Audiobook {
    /// An audiobook of this title and author.
    pub fn new(name: impl Into<String>, author: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            author: author.into(),
            narrator: String::new(),
            publisher: String::new(),
            chapters: Vec::new(),
        }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Who reads it.
    pub fn narrator(mut self, narrator: impl Into<String>) -> Self {
        self.narrator = narrator.into();
        self
    }

    /// Who publishes it.
    pub fn publisher(mut self, publisher: impl Into<String>) -> Self {
        self.publisher = publisher.into();
        self
    }

    /// Adds a chapter behind the others.
    pub fn chapter(mut self, chapter: Chapter) -> Self {
        self.chapters.push(chapter);
        self
    }
}

impl Chapter {
    /// A chapter of this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), duration_ms: half_an_hour(), heard_ms: 0 }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The length in milliseconds. Default: half an hour.
    pub fn duration_ms(mut self, duration: u32) -> Self {
        self.duration_ms = duration;
        self
    }

    /// Where the user stopped listening, in milliseconds from the beginning.
    pub fn heard_ms(mut self, heard: u32) -> Self {
        self.heard_ms = heard;
        self
    }
}
