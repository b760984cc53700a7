//! What was closed in 2024: audio features and analysis, recommendations.

use std::f64::consts::TAU;

use crate::{
    api::{
        call::{Call, parse_id},
        handlers::{batch, found},
    },
    http::{
        json::{Json, object},
        reply::{Answer, Refusal, Reply},
    },
    world::{GENRES, Key, Rng, Track, World, mix},
};

/// The attributes recommendations can be tuned by, with their ranges.
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

pub(crate) fn features(call: &mut Call<'_>) -> Answer {
    let track = found(call, World::track)?;
    Ok(Reply::ok(features_of(call, track)))
}

pub(crate) fn several_features(call: &mut Call<'_>) -> Answer {
    batch(call, "audio_features", World::track, |key| features_of(call, key))
}

/// An analysis that is sound in itself: the bars hold the beats, the beats the tatums.
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

pub(crate) fn recommendations(call: &mut Call<'_>) -> Answer {
    let seeds = Seeds::read(call)?;
    check_attributes(call)?;
    let mut rng = Rng::new(call.world.seed, &seeds.text);
    let render = call.render().with_playability();
    let tracks = (0..call.limit)
        .map(|_| render.track(call.world.tracks.some(rng.next())))
        .collect::<Vec<_>>();
    Ok(Reply::ok(object! { "seeds": seeds.json, "tracks": tracks }))
}

pub(crate) fn genre_seeds(_: &mut Call<'_>) -> Answer {
    let genres: Vec<Json> =
        GENRES.iter().map(|genre| Json::Text(genre.replace(' ', "-"))).collect();
    Ok(Reply::ok(object! { "genres": genres }))
}

/// What a track sounds like.
struct Sound {
    rng: Rng,
    key: u32,
    mode: u32,
    tempo: f64,
    loudness: f64,
}

impl Sound {
    fn of(world: &World, key: Key<Track>) -> Self {
        let mut rng = Rng::new(mix(world.seed ^ u64::from(key.place())), "sound");
        Self {
            key: rng.between(0, 11),
            mode: rng.between(0, 1),
            tempo: 60.0 + f64::from(rng.between(0, 120_000)) / 1_000.0,
            loudness: -3.0 - f64::from(rng.between(0, 20_000)) / 1_000.0,
            rng,
        }
    }
}

fn features_of(call: &Call<'_>, key: Key<Track>) -> Json {
    let track = &call.world.tracks[key];
    let mut sound = Sound::of(call.world, key);
    let (api, id) = (&call.settings.api_url, track.id);
    let mut share = || sound.rng.share();
    object! {
        "acousticness": share(),
        "analysis_url": format!("{api}/audio-analysis/{id}"),
        "danceability": share(),
        "duration_ms": track.duration_ms,
        "energy": share(),
        "id": id.to_string(),
        "instrumentalness": share(),
        "key": sound.key,
        "liveness": sound.rng.share(),
        "loudness": rounded(sound.loudness),
        "mode": sound.mode,
        "speechiness": sound.rng.share(),
        "tempo": rounded(sound.tempo),
        "time_signature": 4,
        "track_href": format!("{api}/tracks/{id}"),
        "type": "audio_features",
        "uri": format!("spotify:track:{id}"),
        "valence": sound.rng.share(),
    }
}

/// What recommendations start from.
struct Seeds {
    text: String,
    json: Vec<Json>,
}

impl Seeds {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let mut seeds = Self { text: String::new(), json: Vec::new() };
        for (parameter, kind) in
            [("seed_artists", "ARTIST"), ("seed_tracks", "TRACK"), ("seed_genres", "GENRE")]
        {
            for seed in call.query.list(parameter).unwrap_or_default() {
                let href = seeds.href(call, kind, &seed)?;
                seeds.text.push_str(&seed);
                seeds.json.push(object! {
                    "initialPoolSize": 250,
                    "afterFilteringSize": 250,
                    "afterRelinkingSize": 250,
                    "id": seed,
                    "type": kind,
                    "href": href,
                });
            }
        }
        match seeds.json.len() {
            0 => Err(Refusal::bad_request("At least one seed is required")),
            1..=MAX_SEEDS => Ok(seeds),
            _ => Err(Refusal::bad_request("At most 5 seeds are allowed")),
        }
    }

    /// The link to a seed. Genres have none.
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
            _ if GENRES.iter().any(|genre| genre.replace(' ', "-") == seed) => Ok(None),
            _ => Err(unknown()),
        }
    }
}

/// `min_`, `max_` and `target_` of each attribute have to lie in its range.
fn check_attributes(call: &Call<'_>) -> Result<(), Refusal> {
    for (name, low, high) in ATTRIBUTES {
        for prefix in ["min_", "max_", "target_"] {
            let parameter = format!("{prefix}{name}");
            let Some(text) = call.query.get(&parameter) else { continue };
            let value = text.parse::<f64>().ok().filter(|value| (low..=high).contains(value));
            if value.is_none() {
                return Err(Refusal::bad_request(format!("Invalid {parameter}")));
            }
        }
    }
    Ok(())
}

/// With three decimals, as such numbers are published.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
