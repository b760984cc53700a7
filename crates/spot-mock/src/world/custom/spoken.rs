//! Shows and audiobooks in custom test data.

use serde::Deserialize;

/// A podcast with its episodes.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a show has no effect until you add it to a `World`"]
pub struct Show {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) publisher: String,
    #[serde(default)]
    pub(crate) explicit: bool,
    /// The episodes, newest first.
    #[serde(default)]
    pub(crate) episodes: Vec<Episode>,
}

/// An episode of a show.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an episode has no effect until it is added to a show"]
pub struct Episode {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    /// Default: 1800000.
    #[serde(default = "half_an_hour")]
    pub(crate) duration_ms: u32,
    /// `2024-05-03`. Default: 2026-11-02, the first day of the mock's clock.
    pub(crate) released: Option<String>,
    /// How many milliseconds of the episode have already been played. The value is the same for all
    /// users.
    #[serde(default)]
    pub(crate) heard_ms: u32,
}

/// An audiobook with its chapters.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an audiobook has no effect until you add it to a `World`"]
pub struct Audiobook {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
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
#[must_use = "a chapter has no effect until it is added to an audiobook"]
pub struct Chapter {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    /// Default: 1800000.
    #[serde(default = "half_an_hour")]
    pub(crate) duration_ms: u32,
    /// How many milliseconds of the chapter have already been played. The value is the same for all
    /// users.
    #[serde(default)]
    pub(crate) heard_ms: u32,
}

const fn half_an_hour() -> u32 {
    1_800_000
}

impl Show {
    /// A show with this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            publisher: String::new(),
            explicit: false,
            episodes: Vec::new(),
        }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Publisher.
    pub fn publisher(mut self, publisher: impl Into<String>) -> Self {
        self.publisher = publisher.into();
        self
    }

    /// Whether the show is explicit. Default: no.
    pub fn explicit(mut self, explicit: bool) -> Self {
        self.explicit = explicit;
        self
    }

    /// Appends an episode. Add the newest episode first, as in Spotify's lists.
    pub fn episode(mut self, episode: Episode) -> Self {
        self.episodes.push(episode);
        self
    }
}

impl Episode {
    /// An episode with this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            duration_ms: half_an_hour(),
            released: None,
            heard_ms: 0,
        }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Length in milliseconds. Default: half an hour.
    pub fn duration_ms(mut self, duration: u32) -> Self {
        self.duration_ms = duration;
        self
    }

    /// Release date: `2024-05-03`. Default: 2026-11-02, the first day of the mock's clock.
    pub fn released(mut self, date: impl Into<String>) -> Self {
        self.released = Some(date.into());
        self
    }

    /// How many milliseconds of the episode have already been played. The value is the same for all
    /// users.
    pub fn heard_ms(mut self, heard: u32) -> Self {
        self.heard_ms = heard;
        self
    }
}

impl Audiobook {
    /// An audiobook with this title and author.
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

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Narrator.
    pub fn narrator(mut self, narrator: impl Into<String>) -> Self {
        self.narrator = narrator.into();
        self
    }

    /// Publisher.
    pub fn publisher(mut self, publisher: impl Into<String>) -> Self {
        self.publisher = publisher.into();
        self
    }

    /// Appends a chapter.
    pub fn chapter(mut self, chapter: Chapter) -> Self {
        self.chapters.push(chapter);
        self
    }
}

impl Chapter {
    /// A chapter with this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), duration_ms: half_an_hour(), heard_ms: 0 }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Length in milliseconds. Default: half an hour.
    pub fn duration_ms(mut self, duration: u32) -> Self {
        self.duration_ms = duration;
        self
    }

    /// How many milliseconds of the chapter have already been played. The value is the same for all
    /// users.
    pub fn heard_ms(mut self, heard: u32) -> Self {
        self.heard_ms = heard;
        self
    }
}
