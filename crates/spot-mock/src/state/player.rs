//! What a user plays, where, and how it goes on.

use std::collections::VecDeque;
use std::time::Duration;

use super::{History, Play};
use crate::clock::{Moment, START};
use crate::world::{Chapter, Episode, Key, Rng, Track, World};

/// After this time without sound a device counts as inactive.
const IDLE_AFTER: Duration = Duration::from_secs(15 * 60);

/// The player of a user.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) devices: Vec<Device>,
    /// The place in `devices` of the one that plays or could go on.
    pub(crate) active: Option<usize>,
    pub(crate) context: Option<Context>,
    pub(crate) current: Option<Playable>,
    pub(crate) shuffle: bool,
    pub(crate) repeat: Repeat,
    pub(crate) playing: bool,
    /// When something last changed by command or by itself.
    pub(crate) changed: Moment,
    /// What was put into the queue by hand; it comes before the rest of the context.
    queue: VecDeque<Playable>,
    /// The context in its own order, and which of its places is current.
    tracks: Vec<Playable>,
    place: usize,
    /// The places of `tracks` in the order in which they are played.
    order: Vec<usize>,
    progress: Duration,
    measured: Moment,
}

/// Where music can be played.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// Speakers that take no commands have none.
    pub(crate) id: Option<String>,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) restricted: bool,
    pub(crate) volume: Option<u8>,
    pub(crate) supports_volume: bool,
}

/// From where the current thing is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) kind: ContextKind,
    /// The id; of a collection the user's.
    pub(crate) id: String,
}

/// What can be played as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextKind {
    Album,
    Artist,
    Playlist,
    /// A podcast, or an audiobook, which is a show underneath.
    Show,
    Collection,
}

/// Something with sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Playable {
    Track(Key<Track>),
    Episode(Key<Episode>),
    Chapter(Key<Chapter>),
}

/// What happens at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Repeat {
    #[default]
    Off,
    Context,
    Track,
}

impl Repeat {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Context => "context",
            Self::Track => "track",
        }
    }
}

impl Playable {
    pub(crate) fn duration(self, world: &World) -> Duration {
        Duration::from_millis(u64::from(match self {
            Self::Track(key) => world.tracks[key].duration_ms,
            Self::Episode(key) => world.episodes[key].duration_ms,
            Self::Chapter(key) => world.chapters[key].duration_ms,
        }))
    }
}

impl Default for Player {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            active: None,
            context: None,
            current: None,
            shuffle: false,
            repeat: Repeat::Off,
            playing: false,
            changed: START,
            queue: VecDeque::new(),
            tracks: Vec::new(),
            place: 0,
            order: Vec::new(),
            progress: Duration::ZERO,
            measured: START,
        }
    }
}

impl Player {
    /// Brings the player to the present: what was playing has played on, and a device that has
    /// been silent for long is no longer active.
    pub(crate) fn settle(&mut self, world: &World, history: &mut History, now: Moment) {
        if self.playing {
            self.progress += now.since(self.measured);
            while self.playing {
                let Some(current) = self.current else { break };
                let duration = current.duration(world);
                if self.progress < duration {
                    break;
                }
                self.progress -= duration;
                let ended = Moment::from_millis(
                    now.millis() - i64::try_from(self.progress.as_millis()).unwrap_or(0),
                );
                if let Playable::Track(track) = current {
                    history.remember(Play {
                        track,
                        played_at: ended,
                        context: self.context.clone(),
                    });
                }
                if self.repeat != Repeat::Track {
                    let rest = self.progress;
                    self.step(ended);
                    self.progress = if self.playing { rest } else { Duration::ZERO };
                }
                self.changed = ended;
            }
        }
        self.measured = now;
        if !self.playing && now.since(self.changed) > IDLE_AFTER {
            self.active = None;
        }
    }

    pub(crate) fn progress(&self) -> Duration {
        self.progress
    }

    pub(crate) fn active_device(&self) -> Option<&Device> {
        self.devices.get(self.active?)
    }

    pub(crate) fn active_device_mut(&mut self) -> Option<&mut Device> {
        self.devices.get_mut(self.active?)
    }

    /// Starts a context, or a bare list when there is none, at one of its places.
    pub(crate) fn start(
        &mut self,
        context: Option<Context>,
        tracks: Vec<Playable>,
        place: usize,
        progress: Duration,
        now: Moment,
    ) {
        self.context = context;
        self.current = tracks.get(place).copied();
        self.tracks = tracks;
        self.place = place;
        self.lay_out();
        self.progress = progress;
        self.playing = self.current.is_some();
        self.touch(now);
    }

    pub(crate) fn set_playing(&mut self, playing: bool, now: Moment) {
        self.playing = playing && self.current.is_some();
        self.touch(now);
    }

    pub(crate) fn seek(&mut self, to: Duration, now: Moment) {
        self.progress = to;
        self.touch(now);
    }

    pub(crate) fn set_shuffle(&mut self, shuffle: bool, now: Moment) {
        self.shuffle = shuffle;
        self.lay_out();
        self.touch(now);
    }

    pub(crate) fn set_repeat(&mut self, repeat: Repeat, now: Moment) {
        self.repeat = repeat;
        self.touch(now);
    }

    pub(crate) fn enqueue(&mut self, playable: Playable, now: Moment) {
        self.queue.push_back(playable);
        self.touch(now);
    }

    /// Goes on to what comes next: the queue first, then the context. At the end of the context
    /// it stops at its beginning, unless it repeats.
    pub(crate) fn skip(&mut self, now: Moment) {
        self.step(now);
        self.touch(now);
    }

    /// Goes back by one. False if there is nothing before.
    pub(crate) fn back(&mut self, now: Moment) -> bool {
        let before = match self.turn() {
            Some(0) | None if self.repeat == Repeat::Context => self.order.len().checked_sub(1),
            Some(turn) => turn.checked_sub(1),
            None => None,
        };
        let Some(place) = before.and_then(|turn| self.order.get(turn)).copied() else {
            return false;
        };
        self.go_to(place);
        self.playing = true;
        self.touch(now);
        true
    }

    pub(crate) fn has_previous(&self) -> bool {
        self.repeat == Repeat::Context || self.turn().is_some_and(|turn| turn > 0)
    }

    /// What will be played next, at most `count` of them.
    pub(crate) fn upcoming(&self, count: usize) -> Vec<Playable> {
        let turn = self.turn().map_or(0, |turn| turn + 1);
        let rest = self.order.iter().skip(turn);
        let again = match self.repeat {
            Repeat::Context => self.order.len(),
            Repeat::Off | Repeat::Track => 0,
        };
        let wrapped = self.order.iter().cycle().take(again);
        let context = rest.chain(wrapped).filter_map(|place| self.tracks.get(*place).copied());
        self.queue.iter().copied().chain(context).take(count).collect()
    }

    fn step(&mut self, now: Moment) {
        self.progress = Duration::ZERO;
        self.changed = now;
        if let Some(queued) = self.queue.pop_front() {
            self.current = Some(queued);
            return;
        }
        let next = self.turn().map_or(0, |turn| turn + 1);
        match self.order.get(next).or_else(|| self.order.first()).copied() {
            Some(place) => {
                self.go_to(place);
                if next >= self.order.len() && self.repeat != Repeat::Context {
                    self.playing = false;
                }
            }
            None => self.playing = false,
        }
    }

    fn go_to(&mut self, place: usize) {
        self.place = place;
        self.current = self.tracks.get(place).copied();
        self.progress = Duration::ZERO;
    }

    /// The current place's turn in the order of play.
    fn turn(&self) -> Option<usize> {
        self.order.iter().position(|place| *place == self.place)
    }

    /// Lays out the order of play: as it is, or shuffled with the current one first. The shuffle
    /// is the same every time, because a mock that surprises is of no use in a test.
    fn lay_out(&mut self) {
        self.order = (0..self.tracks.len()).collect();
        if self.shuffle {
            let mut rng = Rng::new(0, "shuffle");
            self.order.sort_by_cached_key(|place| (*place != self.place, rng.next()));
        }
    }

    fn touch(&mut self, now: Moment) {
        self.changed = now;
        self.measured = now;
    }
}
