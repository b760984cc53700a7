//! Audio features, audio analysis and recommendations, which Spotify restricted in 2024.

use std::{collections::HashSet, f64::consts::TAU};

use crate::{
    api::{
        call::{Call, parse_id},
        handlers::{batch, found},
    },
    http::{
        json::{Json, object},
        reply::{Answer, Refusal, Reply},
    },
    world::{Key, Rng, Track, World, mix},
};

/// The attributes that tune recommendations, and their ranges.
const ATTRIBUTES: [(&str, f64, f64); 14] = [
    ("acousticness", 0.0, 1.0),
    ("danceability", 0.0, 1.0),
    ("duration_ms", 0.0, f64::MAX),
    ("energy", 0.0, 1.0),
    ("instrumentalness", 0.0, 1.0),
    ("key", 0.0, 11.0),
    ("liveness", 0.0, 1.0),
    ("loudness", f64::MIN, f64::MAX),
    ("mode", 0.0, 1.0),
    ("popularity", 0.0, 100.0),
    ("speechiness", 0.0, 1.0),
    ("tempo", 0.0, f64::MAX),
    ("time_signature", 0.0, 11.0),
    ("valence", 0.0, 1.0),
];
const MAX_SEEDS: usize = 5;
/// Maximum number of tracks from which recommendations are chosen.
const POOL: usize = 250;
const TIME_SIGNATURE: f64 = 4.0;

/// Genres that Spotify accepts as seeds.
const GENRE_SEEDS: &[&str] = &[
    "acoustic",
    "afrobeat",
    "alt-rock",
    "alternative",
    "ambient",
    "anime",
    "black-metal",
    "bluegrass",
    "blues",
    "bossanova",
    "brazil",
    "breakbeat",
    "british",
    "cantopop",
    "chicago-house",
    "children",
    "chill",
    "classical",
    "club",
    "comedy",
    "country",
    "dance",
    "dancehall",
    "death-metal",
    "deep-house",
    "detroit-techno",
    "disco",
    "disney",
    "drum-and-bass",
    "dub",
    "dubstep",
    "edm",
    "electro",
    "electronic",
    "emo",
    "folk",
    "forro",
    "french",
    "funk",
    "garage",
    "german",
    "gospel",
    "goth",
    "grindcore",
    "groove",
    "grunge",
    "guitar",
    "happy",
    "hard-rock",
    "hardcore",
    "hardstyle",
    "heavy-metal",
    "hip-hop",
    "holidays",
    "honky-tonk",
    "house",
    "idm",
    "indian",
    "indie",
    "indie-pop",
    "industrial",
    "iranian",
    "j-dance",
    "j-idol",
    "j-pop",
    "j-rock",
    "jazz",
    "k-pop",
    "kids",
    "latin",
    "latino",
    "malay",
    "mandopop",
    "metal",
    "metal-misc",
    "metalcore",
    "minimal-techno",
    "movies",
    "mpb",
    "new-age",
    "new-release",
    "opera",
    "pagode",
    "party",
    "philippines-opm",
    "piano",
    "pop",
    "pop-film",
    "post-dubstep",
    "power-pop",
    "progressive-house",
    "psych-rock",
    "punk",
    "punk-rock",
    "r-n-b",
    "rainy-day",
    "reggae",
    "reggaeton",
    "road-trip",
    "rock",
    "rock-n-roll",
    "rockabilly",
    "romance",
    "sad",
    "salsa",
    "samba",
    "sertanejo",
    "show-tunes",
    "singer-songwriter",
    "ska",
    "sleep",
    "songwriter",
    "soul",
    "soundtracks",
    "spanish",
    "study",
    "summer",
    "swedish",
    "synth-pop",
    "tango",
    "techno",
    "trance",
    "trip-hop",
    "turkish",
    "work-out",
    "world-music",
];

pub(crate) fn features(call: &mut Call<'_>) -> Answer {
    let track = found(call, World::track)?;
    Ok(Reply::ok(features_of(call, track)))
}

pub(crate) fn several_features(call: &mut Call<'_>) -> Answer {
    batch(call, "audio_features", World::track, |key| features_of(call, key))
}

/// Returns a consistent analysis: each bar consists of beats, and each beat consists of tatums.
pub(crate) fn analysis(call: &mut Call<'_>) -> Answer {
    let key = found(call, World::track)?;
    let track = &call.world.tracks[key];
    let sound = Sound::of(call.world, key);
    let duration = f64::from(track.duration_ms) / 1_000.0;
    let beat = 60.0 / sound.tempo;
    let intervals = |length: f64| -> Vec<Json> {
        let interval = |place: u32| {
            let start = f64::from(place) * length;
            object! {
                "start": rounded(start),
                "duration": rounded(length.min(duration - start)),
                "confidence": rounded(0.5 + 0.4 * (f64::from(place) * TAU / 7.0).sin()),
            }
        };
        (0u32..).take_while(|place| f64::from(*place) * length < duration).map(interval).collect()
    };
    let section = |place: u32| {
        object! {
            "start": rounded(f64::from(place) * duration / 6.0),
            "duration": rounded(duration / 6.0),
            "confidence": 0.8,
            "loudness": rounded(sound.loudness),
            "tempo": rounded(sound.tempo),
            "tempo_confidence": 0.6,
            "key": sound.key,
            "key_confidence": 0.5,
            "mode": sound.mode,
            "mode_confidence": 0.5,
            "time_signature": 4,
            "time_signature_confidence": 1.0,
        }
    };
    let segment = |place: u32| {
        let twelve = |low: f64, span: f64| -> Vec<Json> {
            let value = |step: u32| low + span * (f64::from(place * 12 + step) * 0.37).sin().abs();
            (0..12).map(|step| Json::Float(rounded(value(step)))).collect()
        };
        object! {
            "start": rounded(f64::from(place) * duration / 48.0),
            "duration": rounded(duration / 48.0),
            "confidence": 0.7,
            "loudness_start": rounded(sound.loudness - 12.0),
            "loudness_max_time": 0.06,
            "loudness_max": rounded(sound.loudness + 3.0),
            "loudness_end": -60.0,
            "pitches": twelve(0.0, 1.0),
            "timbre": twelve(-40.0, 80.0),
        }
    };
    let summary = object! {
        "num_samples": (duration * 22_050.0) as i64,
        "duration": rounded(duration),
        "sample_md5": "",
        "offset_seconds": 0,
        "window_seconds": 0,
        "analysis_sample_rate": 22_050,
        "analysis_channels": 1,
        "end_of_fade_in": 0.0,
        "start_of_fade_out": rounded(duration - 4.0),
        "loudness": rounded(sound.loudness),
        "tempo": rounded(sound.tempo),
        "tempo_confidence": 0.6,
        "time_signature": 4,
        "time_signature_confidence": 1.0,
        "key": sound.key,
        "key_confidence": 0.5,
        "mode": sound.mode,
        "mode_confidence": 0.5,
        "codestring": "",
        "code_version": 3.15,
        "echoprintstring": "",
        "echoprint_version": 4.15,
        "synchstring": "",
        "synch_version": 1.0,
        "rhythmstring": "",
        "rhythm_version": 1.0,
    };
    Ok(Reply::ok(object! {
        "meta": object! {
            "analyzer_version": "4.0.0",
            "platform": "Linux",
            "detailed_status": "OK",
            "status_code": 0,
            "timestamp": call.now.millis() / 1_000,
            "analysis_time": 7.5,
            "input_process": "mock",
        },
        "track": summary,
        "bars": intervals(beat * 4.0),
        "beats": intervals(beat),
        "sections": (0..6).map(section).collect::<Vec<_>>(),
        "segments": (0..48).map(segment).collect::<Vec<_>>(),
        "tatums": intervals(beat / 2.0),
    }))
}

/// Returns random tracks whose attributes are in the requested ranges. Tracks that are nearer to
/// the requested targets come first. The seeds determine the random choice.
pub(crate) fn recommendations(call: &mut Call<'_>) -> Answer {
    let seeds = Seeds::read(call)?;
    let tuning = Tuning::read(call)?;
    let world = call.world;
    let mut rng = Rng::new(world.seed, &seeds.text);
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for _ in 0..world.tracks.len().min(4_000) {
        let key = world.tracks.some(rng.next());
        if !seen.insert(key) {
            continue;
        }
        if let Some(distance) = tuning.distance(&Sound::of(world, key), &world.tracks[key]) {
            found.push((distance, key));
            if found.len() == POOL {
                break;
            }
        }
    }
    let pool = found.len();
    // Without targets, all distances are equal, and sorting keeps the random order.
    found.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let render = call.render().with_playability();
    let limit = call.limit as usize;
    let tracks = found.into_iter().take(limit).map(|(_, key)| render.track(key));
    let tracks = tracks.collect::<Vec<_>>();
    Ok(Reply::ok(object! { "seeds": seeds.json(pool), "tracks": tracks }))
}

pub(crate) fn genre_seeds(call: &mut Call<'_>) -> Answer {
    let genres: Vec<Json> = match &call.world.genre_seeds {
        Some(genres) => genres.iter().cloned().map(Json::Text).collect(),
        None => GENRE_SEEDS.iter().copied().map(Json::Static).collect(),
    };
    Ok(Reply::ok(object! { "genres": genres }))
}

/// The audio features of a track.
struct Sound {
    key: u32,
    mode: u32,
    tempo: f64,
    loudness: f64,
    acousticness: f64,
    danceability: f64,
    energy: f64,
    instrumentalness: f64,
    liveness: f64,
    speechiness: f64,
    valence: f64,
}

impl Sound {
    fn of(world: &World, key: Key<Track>) -> Self {
        let mut rng = Rng::new(mix(world.seed ^ u64::from(key.place())), "sound");
        Self {
            key: rng.between(0, 11),
            mode: rng.between(0, 1),
            tempo: 60.0 + f64::from(rng.between(0, 120_000)) / 1_000.0,
            loudness: -3.0 - f64::from(rng.between(0, 20_000)) / 1_000.0,
            acousticness: rng.share(),
            danceability: rng.share(),
            energy: rng.share(),
            instrumentalness: rng.share(),
            liveness: rng.share(),
            speechiness: rng.share(),
            valence: rng.share(),
        }
    }

    /// The value of one of the [`ATTRIBUTES`].
    fn attribute(&self, name: &str, track: &Track) -> f64 {
        match name {
            "acousticness" => self.acousticness,
            "danceability" => self.danceability,
            "duration_ms" => f64::from(track.duration_ms),
            "energy" => self.energy,
            "instrumentalness" => self.instrumentalness,
            "key" => f64::from(self.key),
            "liveness" => self.liveness,
            "loudness" => self.loudness,
            "mode" => f64::from(self.mode),
            "popularity" => f64::from(track.popularity),
            "speechiness" => self.speechiness,
            "tempo" => self.tempo,
            "valence" => self.valence,
            _ => TIME_SIGNATURE,
        }
    }
}

fn features_of(call: &Call<'_>, key: Key<Track>) -> Json {
    let track = &call.world.tracks[key];
    let sound = Sound::of(call.world, key);
    let (api, id) = (&call.settings.api_url, track.id);
    object! {
        "acousticness": sound.acousticness,
        "analysis_url": format!("{api}/audio-analysis/{id}"),
        "danceability": sound.danceability,
        "duration_ms": track.duration_ms,
        "energy": sound.energy,
        "id": id.to_string(),
        "instrumentalness": sound.instrumentalness,
        "key": sound.key,
        "liveness": sound.liveness,
        "loudness": rounded(sound.loudness),
        "mode": sound.mode,
        "speechiness": sound.speechiness,
        "tempo": rounded(sound.tempo),
        "time_signature": 4,
        "track_href": format!("{api}/tracks/{id}"),
        "type": "audio_features",
        "uri": format!("spotify:track:{id}"),
        "valence": sound.valence,
    }
}

/// Tuned attributes, each with its lowest, highest and target value.
struct Tuning(Vec<(&'static str, [Option<f64>; 3])>);

impl Tuning {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let mut tuning = Vec::new();
        for (name, low, high) in ATTRIBUTES {
            let value = |prefix: &str| {
                let parameter = format!("{prefix}_{name}");
                let Some(text) = call.query.get(&parameter) else { return Ok(None) };
                let value = text.parse::<f64>().ok().filter(|value| (low..=high).contains(value));
                value.map(Some).ok_or_else(|| Refusal::bad_request(format!("Invalid {parameter}")))
            };
            let values = [value("min")?, value("max")?, value("target")?];
            if values.iter().any(Option::is_some) {
                tuning.push((name, values));
            }
        }
        Ok(Self(tuning))
    }

    /// Distance of a track from the targets; `None` if the track is outside the ranges.
    fn distance(&self, sound: &Sound, track: &Track) -> Option<f64> {
        let mut distance = 0.0;
        for (name, [low, high, target]) in &self.0 {
            let value = sound.attribute(name, track);
            if low.is_some_and(|low| value < low) || high.is_some_and(|high| value > high) {
                return None;
            }
            if let Some(target) = target {
                // The difference is relative, since absolute differences in milliseconds would
                // dominate the distance.
                distance += (value - target).abs() / (value.abs() + target.abs()).max(1.0);
            }
        }
        Some(distance)
    }
}

/// Seeds of recommendations.
struct Seeds {
    text: String,
    /// Type, id and link of each seed.
    seeds: Vec<(&'static str, String, Option<String>)>,
}

impl Seeds {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let mut seeds = Self { text: String::new(), seeds: Vec::new() };
        for (parameter, kind) in
            [("seed_artists", "ARTIST"), ("seed_tracks", "TRACK"), ("seed_genres", "GENRE")]
        {
            for seed in call.query.list(parameter).unwrap_or_default() {
                let href = seeds.href(call, kind, &seed)?;
                seeds.text.push_str(&seed);
                seeds.seeds.push((kind, seed, href));
            }
        }
        match seeds.seeds.len() {
            0 => Err(Refusal::bad_request("At least one seed is required")),
            1..=MAX_SEEDS => Ok(seeds),
            _ => Err(Refusal::bad_request("At most 5 seeds are allowed")),
        }
    }

    /// The seeds in the response. Each seed contains the number of tracks before and after
    /// filtering.
    fn json(self, pool: usize) -> Vec<Json> {
        let seed = |(kind, id, href): (&'static str, String, Option<String>)| {
            object! {
                "initialPoolSize": POOL,
                "afterFilteringSize": pool,
                "afterRelinkingSize": pool,
                "id": id,
                "type": kind,
                "href": href,
            }
        };
        self.seeds.into_iter().map(seed).collect()
    }

    /// The link to a seed; `None` for a genre.
    fn href(&self, call: &Call<'_>, kind: &str, seed: &str) -> Result<Option<String>, Refusal> {
        let api = &call.settings.api_url;
        let unknown = || Refusal::bad_request("Invalid seed");
        match kind {
            "ARTIST" => {
                call.world.artist(&parse_id(seed)?).ok_or_else(unknown)?;
                Ok(Some(format!("{api}/artists/{seed}")))
            }
            "TRACK" => {
                call.world.track(&parse_id(seed)?).ok_or_else(unknown)?;
                Ok(Some(format!("{api}/tracks/{seed}")))
            }
            _ if accepts(call.world, seed) => Ok(None),
            _ => Err(unknown()),
        }
    }
}

/// Whether a genre is accepted as a seed. If the custom test data sets genres, the mock accepts
/// these genres and no others. Otherwise, the mock accepts Spotify's genres and the artists'
/// genres. The seed for an artist's genre has hyphens instead of spaces.
fn accepts(world: &World, seed: &str) -> bool {
    match &world.genre_seeds {
        Some(genres) => genres.iter().any(|genre| genre == seed),
        None => {
            let mut genres = world.artists.iter().flat_map(|(_, artist)| &artist.genres);
            GENRE_SEEDS.contains(&seed) || genres.any(|genre| genre.replace(' ', "-") == seed)
        }
    }
}

/// Rounds to three decimals, as Spotify does.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
