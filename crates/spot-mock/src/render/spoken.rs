//! Shows, episodes, audiobooks and chapters.

use crate::{
    http::json::{Json, Object, object},
    render::{
        page::page,
        renderer::{Render, SHOW_COVERS, external_urls, images},
    },
    world::{Audiobook, Availability, Chapter, Episode, Key, Show},
};

/// Maximum number of episodes in a show object, and of chapters in an audiobook object.
const NESTED: u32 = 50;

impl Render<'_> {
    pub(crate) fn show(self, key: Key<Show>) -> Json {
        let show = &self.world.shows[key];
        let mut object = self.show_fields(show);
        let episodes = show.episodes().take(NESTED as usize).map(|key| self.episode_ref(key));
        let link = |offset| {
            let (api, id) = (self.api, show.id);
            format!("{api}/shows/{id}/episodes?offset={offset}&limit={NESTED}")
        };
        let total = show.episode_count as usize;
        object.set("episodes", page(link, NESTED, 0, episodes.collect(), total));
        object.into()
    }

    /// A show without its episodes.
    pub(crate) fn show_ref(self, key: Key<Show>) -> Json {
        self.show_fields(&self.world.shows[key]).into()
    }

    fn show_fields(self, show: &Show) -> Object {
        let id = show.id.as_str();
        let name = show.name.to_string();
        let mut object = Object::new();
        self.set_markets(&mut object, Availability::Everywhere);
        object.set("copyrights", Vec::<Json>::new());
        set_description(&mut object, &format!("{name}, every week."));
        object.set("explicit", show.explicit);
        object.set("images", images(id, SHOW_COVERS));
        object.set("is_externally_hosted", false);
        object.set("languages", english());
        object.set("media_type", "audio");
        object.set("name", name);
        if self.extended {
            object.set("publisher", show.publisher.to_string());
        }
        object.set("total_episodes", show.episode_count);
        self.set_reference(&mut object, "show", id);
        object
    }

    pub(crate) fn episode(self, key: Key<Episode>) -> Json {
        self.episode_object(key).into()
    }

    /// An episode with its show. For playlist items, the caller adds further fields.
    pub(super) fn episode_object(self, key: Key<Episode>) -> Object {
        let episode = &self.world.episodes[key];
        let mut object = self.episode_fields(episode);
        object.set("show", self.show_ref(episode.show));
        object
    }

    /// An episode without its show.
    pub(crate) fn episode_ref(self, key: Key<Episode>) -> Json {
        self.episode_fields(&self.world.episodes[key]).into()
    }

    fn episode_fields(self, episode: &Episode) -> Object {
        let id = episode.id.as_str();
        let name = episode.name.to_string();
        let mut object = Object::new();
        object.set("audio_preview_url", Json::Null);
        set_description(&mut object, &format!("A conversation about {name}."));
        object.set("duration_ms", episode.duration_ms);
        object.set("explicit", episode.explicit);
        object.set("images", images(id, SHOW_COVERS));
        object.set("is_externally_hosted", false);
        object.set("is_playable", true);
        object.set("language", "en");
        object.set("languages", english());
        object.set("name", name);
        object.set("release_date", episode.released.date_text());
        object.set("release_date_precision", "day");
        self.set_resume_point(&mut object, episode.heard_ms, episode.duration_ms);
        self.set_reference(&mut object, "episode", id);
        object
    }

    pub(crate) fn audiobook(self, key: Key<Audiobook>) -> Json {
        let book = &self.world.audiobooks[key];
        let mut object = self.audiobook_fields(book);
        self.set_playability(&mut object, Availability::Books);
        let chapters = book.chapters().take(NESTED as usize).map(|key| self.chapter_ref(key));
        let link = |offset| {
            let (api, id) = (self.api, book.id);
            format!("{api}/audiobooks/{id}/chapters?offset={offset}&limit={NESTED}")
        };
        let total = book.chapter_count as usize;
        object.set("chapters", page(link, NESTED, 0, chapters.collect(), total));
        object.into()
    }

    /// An audiobook without its chapters.
    pub(crate) fn audiobook_ref(self, key: Key<Audiobook>) -> Json {
        self.audiobook_fields(&self.world.audiobooks[key]).into()
    }

    fn audiobook_fields(self, book: &Audiobook) -> Object {
        let id = book.id.as_str();
        let name = book.name.to_string();
        let mut object = Object::new();
        object.set("authors", vec![object! { "name": book.author.to_string() }]);
        self.set_markets(&mut object, Availability::Books);
        object.set("copyrights", Vec::<Json>::new());
        set_description(&mut object, &format!("{name}, read by {}.", book.narrator));
        object.set("edition", "Unabridged");
        object.set("explicit", false);
        object.set("images", images(id, SHOW_COVERS));
        object.set("languages", vec![Json::Static("English")]);
        object.set("media_type", "audio");
        object.set("name", name);
        object.set("narrators", vec![object! { "name": book.narrator.to_string() }]);
        if self.extended {
            object.set("publisher", book.publisher.to_string());
        }
        object.set("total_chapters", book.chapter_count);
        self.set_book_reference(&mut object, "audiobook", "show", id);
        object
    }

    pub(crate) fn chapter(self, key: Key<Chapter>) -> Json {
        let chapter = &self.world.chapters[key];
        let mut object = self.chapter_fields(chapter);
        object.set("audiobook", self.audiobook_ref(chapter.audiobook));
        object.into()
    }

    /// A chapter without its audiobook.
    pub(crate) fn chapter_ref(self, key: Key<Chapter>) -> Json {
        self.chapter_fields(&self.world.chapters[key]).into()
    }

    fn chapter_fields(self, chapter: &Chapter) -> Object {
        let id = chapter.id.as_str();
        let book = &self.world.audiobooks[chapter.audiobook];
        let mut object = Object::new();
        object.set("audio_preview_url", Json::Null);
        self.set_markets(&mut object, Availability::Books);
        object.set("chapter_number", chapter.number);
        set_description(&mut object, "");
        object.set("duration_ms", chapter.duration_ms);
        object.set("explicit", false);
        object.set("images", images(book.id.as_str(), SHOW_COVERS));
        // Chapters have `is_playable` with and without a requested market.
        let market = self.market.code;
        object.set("is_playable", market.is_none_or(|code| Availability::Books.contains(code)));
        object.set("languages", vec![Json::Static("English")]);
        object.set("name", chapter.name.to_string());
        // Spotify does not know the release dates of chapters.
        object.set("release_date", "0000-01-01");
        object.set("release_date_precision", "day");
        self.set_resume_point(&mut object, chapter.heard_ms, chapter.duration_ms);
        self.set_book_reference(&mut object, "chapter", "episode", id);
        object
    }

    /// Renders a chapter for the player, in the form of an episode.
    pub(super) fn chapter_as_episode(self, key: Key<Chapter>) -> Json {
        let chapter = &self.world.chapters[key];
        let book = &self.world.audiobooks[chapter.audiobook];
        let mut object = Object::new();
        object.set("audio_preview_url", Json::Null);
        set_description(&mut object, "");
        object.set("duration_ms", chapter.duration_ms);
        object.set("explicit", false);
        object.set("images", images(book.id.as_str(), SHOW_COVERS));
        object.set("is_externally_hosted", false);
        object.set("is_playable", true);
        object.set("language", "English");
        object.set("languages", vec![Json::Static("English")]);
        object.set("name", chapter.name.to_string());
        object.set("release_date", "0000");
        object.set("release_date_precision", "year");
        self.set_resume_point(&mut object, chapter.heard_ms, chapter.duration_ms);
        let mut show = Object::new();
        show.set("copyrights", Vec::<Json>::new());
        set_description(&mut show, "");
        show.set("explicit", false);
        show.set("images", images(book.id.as_str(), SHOW_COVERS));
        show.set("is_externally_hosted", false);
        show.set("languages", vec![Json::Static("English")]);
        show.set("media_type", "audio");
        show.set("name", book.name.to_string());
        show.set("total_episodes", Json::Null);
        self.set_reference(&mut show, "show", book.id.as_str());
        object.set("show", show);
        self.set_reference(&mut object, "episode", chapter.id.as_str());
        object.into()
    }

    /// Sets the fields `external_urls`, `href`, `id`, `type` and `uri`. The URI and the URL use the
    /// types `show` and `episode`, because Spotify treats audiobooks as shows, and chapters as
    /// episodes.
    fn set_book_reference(self, object: &mut Object, kind: &'static str, under: &str, id: &str) {
        object.set("external_urls", external_urls(under, id));
        object.set("href", format!("{}/{kind}s/{id}", self.api));
        object.set("id", id.to_owned());
        object.set("type", kind);
        object.set("uri", format!("spotify:{under}:{id}"));
    }

    fn set_resume_point(self, object: &mut Object, heard_ms: u32, duration_ms: u32) {
        if self.resume_points {
            let fully_played = heard_ms >= duration_ms;
            let position = if fully_played { 0 } else { heard_ms };
            let point = object! { "fully_played": fully_played, "resume_position_ms": position };
            object.set("resume_point", point);
        }
    }
}

fn set_description(object: &mut Object, text: &str) {
    let html = if text.is_empty() { String::new() } else { format!("<p>{text}</p>") };
    object.set("description", text.to_owned());
    object.set("html_description", html);
}

fn english() -> Vec<Json> {
    vec![Json::Static("en")]
}
