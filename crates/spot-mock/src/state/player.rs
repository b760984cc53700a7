//! The player of a user: devices, playback and queue.

use std::{collections::VecDeque, time::Duration};

use crate::{
    clock::{Moment, START},
    state::{
        history::{History, Play},
        playback::{Context, Playable, Repeat},
        restriction::Restriction,
    },
    world::{Device, Rng, World},
};

/// After this time without playback, a device becomes inactive.
const IDLE_AFTER: Duration = Duration::from_secs(15 * 60);

/// Maximum number of start and skip commands within [`BURST`].
const STARTS: usize = 20;
const BURST: Duration = Duration::from_secs(1);

/// The player of a user.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) devices: Vec<Device>,
    /// Index of the active device in `devices`. The active device is playing or can resume
    /// playback.
    pub(crate) active: Option<usize>,
    pub(crate) context: Option<Context>,
    pub(crate) current: Option<Playable>,
    pub(crate) shuffle: bool,
    pub(crate) repeat: Repeat,
    pub(crate) playing: bool,
    /// Time of the last change, by a command or by the progress of playback.
    pub(crate) changed: Moment,
    /// Items that the user queued. Queued items are played before the rest of the context.
    queue: VecDeque<Playable>,
    /// Whether the current item came from the queue and interrupts the context.
    from_queue: bool,
    /// Items of the context in their original order. `place` is the index of the current item in
    /// `tracks`.
    tracks: Vec<Playable>,
    place: usize,
    /// Indexes into `tracks`, in the order of play.
    order: Vec<usize>,
    progress: Duration,
    measured: Moment,
    /// Times of the latest start and skip commands. The list has at most [`STARTS`] entries.
    starts: VecDeque<Moment>,
    /// Start and end of an advertisement. Playback pauses until the advertisement ends.
    advertisement: Option<(Moment, Moment)>,
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
            from_queue: false,
            tracks: Vec::new(),
            place: 0,
            order: Vec::new(),
            progress: Duration::ZERO,
            measured: START,
            starts: VecDeque::new(),
            advertisement: None,
        }
    }
}

impl Player {
    /// Updates the player to the current time: playback progresses, and a device without playback
    /// becomes inactive after [`IDLE_AFTER`].
    pub(crate) fn settle(&mut self, world: &World, history: &mut History, now: Moment) {
        if let Some((_, end)) = self.advertisement {
            self.measured = self.measured.max(now.min(end));
            if now >= end {
                self.advertisement = None;
                self.changed = end;
            }
        }
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

    /// Starts an advertisement.
    pub(crate) fn advertise(&mut self, length: Duration, now: Moment) {
        self.advertisement = Some((now, now.plus(length)));
        self.touch(now);
    }

    /// Progress of the advertisement, if one is playing.
    pub(crate) fn advertisement(&self) -> Option<Duration> {
        self.advertisement.map(|(start, _)| self.measured.since(start))
    }

    pub(crate) fn active_device(&self) -> Option<&Device> {
        self.devices.get(self.active?)
    }

    /// Replaces all devices.
    pub(crate) fn set_devices(&mut self, devices: Vec<Device>, now: Moment) {
        self.active = devices.iter().position(|device| device.active);
        self.devices = devices;
        self.touch(now);
    }

    /// Adds a device, or replaces the device with the same id.
    pub(crate) fn add_device(&mut self, device: Device, now: Moment) {
        let active = device.active;
        let known = self.devices.iter().position(|known| known.id == device.id);
        let place = known.unwrap_or(self.devices.len());
        match self.devices.get_mut(place) {
            Some(known) => *known = device,
            None => self.devices.push(device),
        }
        if active {
            self.active = Some(place);
            self.touch(now);
        }
    }

    /// Removes a device. If the device was active, playback stops.
    pub(crate) fn remove_device(&mut self, id: &str, now: Moment) -> bool {
        let is_meant = |device: &Device| device.id.as_deref() == Some(id);
        let Some(place) = self.devices.iter().position(is_meant) else { return false };
        drop(self.devices.remove(place));
        self.active = match self.active {
            Some(active) if active == place => {
                self.playing = false;
                self.touch(now);
                None
            }
            Some(active) if active > place => Some(active - 1),
            active => active,
        };
        true
    }

    /// Counts a start or skip command. Fails if there were too many of these commands within
    /// [`BURST`].
    pub(crate) fn count_start(&mut self, now: Moment) -> Result<(), Restriction> {
        while self.starts.front().is_some_and(|first| now.since(*first) >= BURST) {
            self.starts.pop_front();
        }
        if self.starts.len() >= STARTS {
            return Err(Restriction::RateLimited);
        }
        self.starts.push_back(now);
        Ok(())
    }

    /// Whether this episode or chapter is playing in this context, and the progress is not zero.
    /// Always false for tracks.
    pub(crate) fn is_in_the_midst_of(&self, context: Option<&Context>, what: Playable) -> bool {
        self.playing
            && !self.progress.is_zero()
            && !matches!(what, Playable::Track(_))
            && self.current == Some(what)
            && self.context.as_ref() == context
    }

    /// Starts playback at one of the items in `tracks`. `context` is `None` for a plain list of
    /// items.
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
        self.from_queue = false;
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

    /// Skips to the next item. Items of the queue come before items of the context. At the end of
    /// the context, playback returns to the first item and stops, unless the context repeats.
    pub(crate) fn skip(&mut self, now: Moment) {
        self.step(now);
        self.touch(now);
    }

    /// Skips to the previous item, if there is one.
    pub(crate) fn back(&mut self, now: Moment) {
        if let Some(place) = self.previous() {
            self.go_to(place);
            self.playing = true;
            self.touch(now);
        }
    }

    pub(crate) fn has_previous(&self) -> bool {
        self.previous().is_some()
    }

    pub(crate) fn has_next(&self) -> bool {
        !self.upcoming(1).is_empty()
    }

    /// Returns at most `count` of the next items.
    pub(crate) fn upcoming(&self, count: usize) -> Vec<Playable> {
        let turn = self.turn().map_or(0, |turn| turn + 1);
        let rest = self.order.iter().skip(turn);
        let again = if self.begins_again() { self.order.len() } else { 0 };
        let wrapped = self.order.iter().cycle().take(again);
        let context = rest.chain(wrapped).filter_map(|place| self.tracks.get(*place).copied());
        self.queue.iter().copied().chain(context).take(count).collect()
    }

    fn step(&mut self, now: Moment) {
        self.progress = Duration::ZERO;
        self.changed = now;
        if let Some(queued) = self.queue.pop_front() {
            self.current = Some(queued);
            self.from_queue = true;
            return;
        }
        let next = self.turn().map_or(0, |turn| turn + 1);
        match self.order.get(next).or_else(|| self.order.first()).copied() {
            Some(place) => {
                self.go_to(place);
                if next >= self.order.len() && !self.begins_again() {
                    self.playing = false;
                }
            }
            None => self.playing = false,
        }
    }

    /// Index of the item before the current item.
    fn previous(&self) -> Option<usize> {
        if self.from_queue && self.tracks.get(self.place).is_some() {
            // `place` is the index of the item that the queued item interrupted.
            return Some(self.place);
        }
        let before = match self.turn() {
            Some(0) | None if self.repeat == Repeat::Context => self.order.len().checked_sub(1),
            Some(turn) => turn.checked_sub(1),
            None => None,
        };
        self.order.get(before?).copied()
    }

    /// Whether the first item is played again after the last item. A station is endless, so its
    /// items always repeat.
    fn begins_again(&self) -> bool {
        self.repeat == Repeat::Context || self.is_endless()
    }

    fn is_endless(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.kind.is_endless())
    }

    fn go_to(&mut self, place: usize) {
        self.place = place;
        self.current = self.tracks.get(place).copied();
        self.from_queue = false;
        self.progress = Duration::ZERO;
    }

    /// Position of the current item in the order of play.
    fn turn(&self) -> Option<usize> {
        self.order.iter().position(|place| *place == self.place)
    }

    /// Computes the order of play: the original order, or a shuffled order that starts with the
    /// current item. The shuffle is always the same, so that tests are reproducible.
    fn lay_out(&mut self) {
        self.order = (0..self.tracks.len()).collect();
        if self.shuffle && !self.is_endless() {
            let mut rng = Rng::new(0, "shuffle");
            self.order.sort_by_cached_key(|place| (*place != self.place, rng.next()));
        }
    }

    fn touch(&mut self, now: Moment) {
        self.changed = now;
        self.measured = now;
    }
}
