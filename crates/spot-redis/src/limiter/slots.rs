//! The slots that the server has granted to one process. While the server is unavailable, the
//! process counts only its own calls, in a local rolling window.
//!
//! No function sleeps or reads the clock: the current time is an argument. A task sends the
//! requests that [`SharedSlots::next_step`] returns, one at a time. A single request serves all
//! calls of the process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use spot_http::{
    Limits, Priority,
    limiter_parts::{
        Blocks, Candidate, End, EndedCall, Learned, SharedBlock, Slot, Slots, Waiting, Window,
        millis,
    },
};
use tokio::{sync::Notify, time::Instant};

use crate::limiter::messages::{BlockChange, Change, Ended, How, Request, Response, Resync};

/// How long the permission to send a probe is valid.
const PROBE_TIME: Duration = Duration::from_secs(5);

/// Interval at which a process checks whether the probe of another process got a response.
const LOOK: Duration = Duration::from_millis(100);

/// While no limit is known, the process tells the server within this time that a call has ended.
const SHORT_DELAY: Duration = Duration::from_millis(20);

/// Maximum time between two requests of a process that waits for a slot.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Maximum number of unused slots that a process keeps for each priority.
const LARGEST_BATCH: u32 = 32;

/// Maximum number of unused slots that a process keeps for each priority, while no limit is known.
const FIRST_BATCH: u32 = 8;

/// Settings that the program has chosen in the builder.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) window: Duration,
    pub(crate) longest_call: Duration,
    pub(crate) known: Option<u32>,
}

/// The slots of one process.
#[derive(Debug)]
pub(crate) struct SharedSlots {
    settings: Settings,
    /// Name of this process.
    worker: String,
    /// Wakes the task that sends the requests.
    kick: Arc<Notify>,
    mode: Mode,
    /// The calls of this process. This window limits the calls while the server is unavailable.
    own: Window,
    next_slot: u64,
    next_request: u64,
    /// The slots of calls that have not ended.
    flights: BTreeSet<u64>,
    /// Granted slots that no call uses yet, sorted by the time at which they become free.
    pool: Vec<Lease>,
    /// The request in flight.
    asked: Option<Asked>,
    /// For each priority, the earliest time at which the server may have a free slot.
    no_slot: PerPriority<Option<Instant>>,
    /// For each priority, when to request a slot again.
    ask_at: PerPriority<Option<Instant>>,
    /// Slots that are no longer in use. The next request reports these slots to the server.
    ended: Vec<Finished>,
    changes: Vec<PendingChange>,
    /// Keys of the blocks for which this process wants to send a probe.
    wanted_probes: BTreeSet<String>,
    /// Keys of the blocks for which this process may send a probe, and the time of each permission.
    probes: HashMap<String, Instant>,
    wants_sync: bool,
    wants_flush: bool,
    /// Time at which the task sends its next request, unless an event wakes the task earlier.
    planned: Option<Instant>,
    /// Whether calls began or ended while the process was sending its complete state.
    told_too_little: bool,
    /// Whether this process has to wait for the probe of another process.
    awaits_probe: bool,
    waiting: Waiting,
    /// Send time of the latest request that got a response.
    synced: Option<Instant>,
    known: Known,
    /// A new limit from the server, which the next call of `end` returns.
    news: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The server counts the calls. If `resync` is set, the next request contains the complete
    /// state of the process.
    Shared { resync: bool },
    /// The server has been unavailable since this time.
    Alone { since: Instant },
}

/// The content of the server's last response.
#[derive(Debug, Default)]
struct Known {
    born: Option<String>,
    limit: Option<u32>,
    step: u32,
    every: u64,
    workers: u32,
    used: usize,
    version: i64,
}

/// A slot for the next call.
#[derive(Debug)]
struct Lease {
    slot: u64,
    starts: Instant,
    priority: Priority,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    first: u64,
    wanted: u64,
}

#[derive(Debug)]
struct Finished {
    slot: u64,
    how: How,
    sent: Instant,
    at: Instant,
    wait: Option<Duration>,
    starts: Option<Instant>,
}

#[derive(Debug)]
struct PendingChange {
    key: String,
    kind: ChangeKind,
}

#[derive(Debug)]
enum ChangeKind {
    Set(SharedBlock, Instant),
    Answered,
    Lost,
}

#[derive(Debug, Default)]
struct PerPriority<T> {
    interactive: T,
    bulk: T,
}

impl<T> PerPriority<T> {
    fn get(&self, priority: Priority) -> &T {
        if priority == Priority::Bulk { &self.bulk } else { &self.interactive }
    }

    fn get_mut(&mut self, priority: Priority) -> &mut T {
        if priority == Priority::Bulk { &mut self.bulk } else { &mut self.interactive }
    }
}

const PRIORITIES: [Priority; 2] = [Priority::Interactive, Priority::Bulk];

/// The next action of the task.
#[derive(Debug)]
pub(crate) enum Step {
    Send(Box<Request>),
    /// Wait until this time, or until the task is woken.
    Wait(Option<Instant>),
    /// Reconnect, because the server is unavailable.
    Reconnect,
}

/// Changes caused by a response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Applied {
    /// Whether the blocks have changed, so that every waiting call must check them again.
    pub(crate) blocks: bool,
    /// How long the server was unavailable, if it is available again.
    pub(crate) was_alone: Option<Duration>,
}

impl SharedSlots {
    pub(crate) fn new(settings: Settings, worker: String, kick: Arc<Notify>) -> Self {
        let own = match settings.known {
            Some(limit) => Window::fixed(settings.window, limit),
            None => Window::learned(settings.window),
        };
        Self {
            settings,
            worker,
            kick,
            mode: Mode::Shared { resync: true },
            own,
            next_slot: 1,
            next_request: 1,
            flights: BTreeSet::new(),
            pool: Vec::new(),
            asked: None,
            no_slot: PerPriority::default(),
            ask_at: PerPriority::default(),
            ended: Vec::new(),
            changes: Vec::new(),
            wanted_probes: BTreeSet::new(),
            probes: HashMap::new(),
            wants_sync: false,
            wants_flush: false,
            planned: None,
            told_too_little: false,
            awaits_probe: false,
            waiting: Waiting::default(),
            synced: None,
            known: Known { version: -1, ..Known::default() },
            news: None,
        }
    }

    /// How long a response of the Redis server is valid. If the limit is known, the process reports
    /// an ended call to the Redis server after at most this time.
    fn fresh(&self) -> Duration {
        (self.settings.window / 30).clamp(Duration::from_millis(250), Duration::from_secs(1))
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.synced.is_some_and(|at| now < at + self.fresh())
    }

    fn limit(&self) -> Option<u32> {
        self.settings.known.or(self.known.limit)
    }

    /// The share of the limit that this process uses while the server is unavailable.
    fn share(&self) -> Option<u32> {
        Some((self.limit()? / self.known.workers.max(1)).max(1))
    }

    /// Maximum number of unused slots that this process keeps for each priority.
    fn batch(&self) -> usize {
        let batch = match self.limit() {
            Some(limit) => (limit / 50).clamp(1, LARGEST_BATCH),
            None => FIRST_BATCH,
        };
        batch as usize
    }

    fn held(&self, priority: Priority) -> usize {
        self.pool.iter().filter(|lease| lease.priority == priority).count()
    }

    /// Returns how many more slots to request. The next batch is requested when half of the last
    /// batch is used.
    fn missing(&self, waiting: Waiting, priority: Priority) -> usize {
        let (held, batch) = (self.held(priority), self.batch());
        if held > batch / 2 {
            0
        } else {
            waiting.priority(priority).min(batch).saturating_sub(held)
        }
    }

    fn new_slot(&mut self) -> u64 {
        self.next_slot += 1;
        self.next_slot - 1
    }

    /// Returns the next action of the task.
    pub(crate) fn next_step(&mut self, blocks: &Blocks, now: Instant) -> Step {
        if matches!(self.mode, Mode::Alone { .. }) {
            return Step::Reconnect;
        }
        if self.asked.is_some() {
            self.planned = None;
            return Step::Wait(None);
        }
        self.probes.retain(|_, since| now < *since + PROBE_TIME);
        match self.due(now) {
            Some(due) if due <= now => Step::Send(Box::new(self.request(blocks, now))),
            due => {
                self.planned = due;
                Step::Wait(due)
            }
        }
    }

    /// Returns the time of the next request; `None` if no request is needed.
    fn due(&self, now: Instant) -> Option<Instant> {
        let mut due = None;
        let mut at = |time: Instant| due = Some(due.map_or(time, |due: Instant| due.min(time)));
        let somebody_waits = self.waiting != Waiting::default();
        let wants_probe = somebody_waits && !self.wanted_probes.is_empty();
        let is_cut_off = self.mode == Mode::Shared { resync: true } && self.known.born.is_some();
        if is_cut_off
            || wants_probe
            || (somebody_waits && self.wants_sync)
            || !self.changes.is_empty()
        {
            at(now);
        }
        for priority in PRIORITIES {
            if self.missing(self.waiting, priority) > 0 {
                at(self.ask_at.get(priority).unwrap_or(now));
            }
        }
        if let Some(oldest) = self.ended.first() {
            let is_urgent =
                self.wants_flush || self.ended.iter().any(|ended| ended.how == How::Refused);
            // While no limit is known, other processes may be waiting for the end of a call.
            let delay = if self.limit().is_none() { SHORT_DELAY } else { self.fresh() };
            at(if is_urgent { now } else { oldest.at + delay });
        }
        if self.awaits_probe && somebody_waits {
            at(self.synced.map_or(now, |synced| synced + LOOK));
        }
        due
    }

    fn request(&mut self, blocks: &Blocks, now: Instant) -> Request {
        let resync = match self.mode {
            Mode::Shared { resync: false } => None,
            Mode::Shared { resync: true } | Mode::Alone { .. } => Some(self.resync(blocks, now)),
        };
        let first = self.next_slot;
        let wanted = |priority| match self.ask_at.get(priority) {
            Some(at) if *at > now => 0,
            _ => self.missing(self.waiting, priority),
        };
        let (interactive, bulk) = (wanted(Priority::Interactive), wanted(Priority::Bulk));
        let ended = self.ended.drain(..).map(|ended| ended.tell(now)).collect();
        let changes = self.changes.drain(..).map(|change| change.tell(now)).collect();
        let request = Request {
            worker: self.worker.clone(),
            number: self.next_request,
            window: millis(self.settings.window),
            longest: millis(self.settings.longest_call),
            lively: millis((self.settings.window * 2).max(Duration::from_secs(10))),
            fixed: self.settings.known,
            born: self.known.born.clone(),
            version: if resync.is_some() { -1 } else { self.known.version },
            first,
            interactive,
            bulk,
            ended,
            blocks: changes,
            probes: self.wanted_probes.iter().cloned().collect(),
            resync,
        };
        self.next_request += 1;
        self.next_slot += request.wanted();
        self.wanted_probes.clear();
        self.wants_sync = false;
        self.wants_flush = false;
        self.told_too_little = false;
        self.asked = Some(Asked { at: now, first, wanted: request.wanted() });
        request
    }

    /// Returns a request that contains the complete state of the process. The process sends this
    /// request after it has reconnected to the server.
    pub(crate) fn request_again(&mut self, blocks: &Blocks, now: Instant) -> Request {
        self.ended.clear();
        self.changes.clear();
        self.request(blocks, now)
    }

    fn resync(&mut self, blocks: &Blocks, now: Instant) -> Resync {
        // The complete state replaces the queued reports and the granted slots.
        self.ended.clear();
        self.changes.clear();
        self.pool.clear();
        let taken: Vec<_> = self.own.cooling(now).into_iter().map(millis).collect();
        let first = self.next_slot;
        self.next_slot += u64::try_from(taken.len()).unwrap_or_default();
        let (step, every) = match self.known.limit {
            Some(_) => (self.known.step, self.known.every),
            None => {
                let learned = self.own.save(now, false);
                (learned.step, millis(learned.every))
            }
        };
        Resync {
            in_flight: self.flights.iter().copied().collect(),
            taken,
            first,
            blocks: blocks.all_shared(now),
            limit: self.known.limit.or(self.own.limit()),
            step,
            every,
            workers: self.known.workers,
        }
    }

    /// Applies a response.
    pub(crate) fn apply(
        &mut self,
        response: Response,
        blocks: &mut Blocks,
        now: Instant,
    ) -> Applied {
        let asked = self.asked.take();
        if response.lost {
            self.mode = Mode::Shared { resync: true };
            self.pool.clear();
            self.known.version = -1;
            return Applied::default();
        }
        let mut applied = Applied::default();
        if let Mode::Alone { since } = self.mode {
            applied.was_alone = Some(now.saturating_duration_since(since));
        }
        self.mode = Mode::Shared { resync: std::mem::take(&mut self.told_too_little) };
        if let Some(asked) = &asked {
            self.synced = Some(asked.at);
            if response.granted_twice {
                for slot in asked.first..asked.first + asked.wanted {
                    self.give_back(
                        Lease { slot, starts: now, priority: Priority::Interactive },
                        now,
                    );
                }
            }
        }
        if response.limit != self.known.limit {
            self.news = response.limit;
        }
        for (slot, starts, priority) in response.granted {
            let starts = now + Duration::from_millis(starts);
            self.pool.push(Lease { slot, starts, priority: priority.priority() });
        }
        self.pool.sort_by_key(|lease| lease.starts);
        for (priority, hint) in
            [(Priority::Interactive, response.interactive), (Priority::Bulk, response.bulk)]
        {
            let hint = hint.map(Duration::from_millis);
            *self.no_slot.get_mut(priority) = hint.map(|hint| now + hint);
            *self.ask_at.get_mut(priority) = hint.map(|hint| now + hint.min(ASK_AGAIN));
        }
        self.probes.extend(response.probes.into_iter().map(|key| (key, now)));
        if response.version != self.known.version || applied.was_alone.is_some() {
            applied.blocks = true;
            self.replace_blocks(response.blocks, blocks, now);
        }
        self.known = Known {
            born: Some(response.born),
            limit: response.limit,
            step: response.step,
            every: response.every,
            workers: response.workers,
            used: response.used,
            version: response.version,
        };
        applied
    }

    fn replace_blocks(&mut self, mut shared: Vec<SharedBlock>, blocks: &mut Blocks, now: Instant) {
        // Applies the changes that the server does not know yet.
        for change in &self.changes {
            let position = shared.iter().position(|block| block.key == change.key);
            let current = position.map(|position| shared.swap_remove(position));
            match &change.kind {
                ChangeKind::Set(block, at) => {
                    let block = still(block, *at, now);
                    shared.push(match current {
                        Some(current) if current.left >= block.left => current,
                        _ => block,
                    });
                }
                ChangeKind::Answered => {}
                ChangeKind::Lost => {
                    let current = current.map(|mut block| {
                        block.probing = None;
                        block
                    });
                    shared.extend(current);
                }
            }
        }
        for block in &mut shared {
            // This process itself may send the probe for this block, so it does not wait for
            // another process.
            if self.probes.contains_key(&block.key) {
                block.probing = None;
            }
        }
        self.awaits_probe = shared.iter().any(|block| block.probing.is_some());
        blocks.replace(&shared, now);
    }

    /// Handles an unavailable Redis server: from now on, this process uses only its share of the
    /// limit. Returns this share of the limit, or `None` if an earlier call of `fail` has already
    /// handled the outage.
    pub(crate) fn fail(&mut self, now: Instant) -> Option<Option<u32>> {
        self.asked = None;
        if matches!(self.mode, Mode::Alone { .. }) {
            return None;
        }
        self.mode = Mode::Alone { since: now };
        self.pool.clear();
        self.ended.clear();
        self.changes.clear();
        self.probes.clear();
        self.wanted_probes.clear();
        self.no_slot = PerPriority::default();
        self.ask_at = PerPriority::default();
        let share = self.share();
        if let Some(share) = share {
            self.own.set_limit(share, now);
        }
        Some(share)
    }

    /// Whether the process has changes to report to the server.
    pub(crate) fn has_more_to_tell(&self) -> bool {
        let is_shared = matches!(self.mode, Mode::Shared { .. });
        let has_more = !self.ended.is_empty() || !self.changes.is_empty() || self.asked.is_some();
        is_shared && has_more
    }

    /// Makes the task send its next report to the server immediately.
    pub(crate) fn flush(&mut self) {
        self.wants_flush = true;
        self.kick.notify_one();
    }

    /// Returns the last request of a limiter that is being dropped.
    pub(crate) fn last_request(&mut self, now: Instant) -> Option<Request> {
        let Mode::Shared { resync: false } = self.mode else { return None };
        self.waiting = Waiting::default();
        self.give_back_surplus(now);
        self.has_more_to_tell().then(|| self.request(&Blocks::default(), now))
    }

    fn give_back(&mut self, lease: Lease, now: Instant) {
        self.ended.push(Finished {
            slot: lease.slot,
            how: How::NotSent,
            sent: now,
            at: now,
            wait: None,
            starts: Some(lease.starts),
        });
    }

    /// Gives slots back to the server if no call waits for them.
    fn give_back_surplus(&mut self, now: Instant) {
        let wanted = self.waiting.interactive + self.waiting.bulk;
        while self.pool.len() > wanted {
            if let Some(lease) = self.pool.pop() {
                self.give_back(lease, now);
            }
        }
    }

    fn take_shared(&mut self, call: &Candidate<'_>, now: Instant) -> Slot {
        let keys: Vec<_> = call.probes.keys(call.operation).collect();
        let missing = keys.iter().filter(|key| !self.probes.contains_key(&***key));
        let missing: Vec<_> = missing.map(|key| key.to_string()).collect();
        if !missing.is_empty() {
            self.wanted_probes.extend(missing);
            return Slot::AfterAnswer;
        }
        let first = self.pool.first().map(|lease| lease.starts);
        if first.is_some_and(|starts| starts <= now) {
            // Another process may have received a 429 meanwhile.
            if !self.is_fresh(now) {
                self.wants_sync = true;
                return Slot::AfterAnswer;
            }
            let lease = self.pool.remove(0);
            for key in keys {
                self.probes.remove(&*key);
            }
            self.own.take_anyway(now);
            self.flights.insert(lease.slot);
            return Slot::Now(lease.slot);
        }
        let no_slot = self.no_slot.get(call.priority).filter(|until| *until > now);
        let until = [first, no_slot].into_iter().flatten().min();
        match until {
            Some(until) if self.limit().is_some() => {
                let asks = no_slot.is_none() && self.missing(call.waiting, call.priority) > 0;
                if asks { Slot::AfterAnswer } else { Slot::At(until) }
            }
            _ => Slot::AfterAnswer,
        }
    }

    fn report(&mut self, ended: &EndedCall<'_>, now: Instant) {
        let (how, wait) = match ended.end {
            End::Answered => (How::Answered, None),
            End::Refused(wait) => (How::Refused, Some(wait)),
            End::Unknown => (How::Unknown, None),
            End::NotSent => (How::NotSent, None),
        };
        let starts = (how == How::NotSent).then_some(now);
        let (slot, sent) = (ended.slot, ended.sent);
        self.ended.push(Finished { slot, how, sent, at: now, wait, starts });
        for key in ended.probes.keys(ended.operation) {
            if ended.refused.as_deref() != Some(&*key) {
                let kind =
                    if how == How::Answered { ChangeKind::Answered } else { ChangeKind::Lost };
                self.changes.push(PendingChange { key: key.into_owned(), kind });
            }
        }
        if let Some(key) = &ended.refused {
            if let Some(block) = ended.blocks.shared(key, now) {
                let kind = ChangeKind::Set(block, now);
                self.changes.push(PendingChange { key: key.to_string(), kind });
            }
            if &**key == SharedBlock::ALL {
                for lease in std::mem::take(&mut self.pool) {
                    self.give_back(lease, now);
                }
            }
        }
    }
}

impl Slots for SharedSlots {
    fn take(&mut self, call: &Candidate<'_>, now: Instant) -> Slot {
        if matches!(self.mode, Mode::Shared { .. }) {
            return self.take_shared(call, now);
        }
        match self.own.take(call.priority, now) {
            Slot::Now(_) => {
                let slot = self.new_slot();
                self.flights.insert(slot);
                self.told_too_little = true;
                Slot::Now(slot)
            }
            wait => wait,
        }
    }

    fn end(&mut self, ended: &EndedCall<'_>, now: Instant) -> Option<u32> {
        let changed = self.own.end(ended.end, ended.sent, now);
        self.flights.remove(&ended.slot);
        if matches!(self.mode, Mode::Shared { .. }) {
            self.report(ended, now);
            return self.news.take();
        }
        self.told_too_little = true;
        self.own.limit().filter(|_| changed)
    }

    fn limit(&self) -> Option<u32> {
        match self.mode {
            Mode::Shared { .. } => self.limit(),
            Mode::Alone { .. } => self.own.limit(),
        }
    }

    fn next_change(&self, now: Instant) -> Option<Instant> {
        if matches!(self.mode, Mode::Alone { .. }) {
            return self.own.next_change(now);
        }
        let leases = self.pool.iter().map(|lease| lease.starts);
        let priorities = PRIORITIES.into_iter().filter_map(|priority| *self.no_slot.get(priority));
        leases.chain(priorities).filter(|time| *time > now).min()
    }

    fn snapshot(&self, blocks: &Blocks, now: Instant) -> Limits {
        let mut learned: Learned = self.own.save(now, false);
        if matches!(self.mode, Mode::Shared { .. }) {
            // This process knows how many calls the other processes have sent, but not when.
            let others = self.known.used.saturating_sub(learned.taken.len());
            learned.taken.extend(std::iter::repeat_n(self.settings.window, others));
            learned.limit = self.limit();
            learned.step = self.known.step;
            learned.every = Duration::from_millis(self.known.every);
        }
        blocks.limits(learned, now)
    }

    fn settle(&mut self, waiting: Waiting, now: Instant) {
        self.waiting = waiting;
        if matches!(self.mode, Mode::Alone { .. }) {
            return;
        }
        self.give_back_surplus(now);
        if waiting == Waiting::default() {
            self.wanted_probes.clear();
        }
        if self.asked.is_none()
            && self.due(now).is_some_and(|due| self.planned.is_none_or(|planned| due < planned))
        {
            self.kick.notify_one();
        }
    }
}

impl Drop for SharedSlots {
    fn drop(&mut self) {
        // Wakes the task, which then ends.
        self.kick.notify_one();
    }
}

impl Finished {
    fn tell(self, now: Instant) -> Ended {
        let ago = |time: Instant| {
            let ago = now.saturating_duration_since(time).as_millis();
            u64::try_from(ago).unwrap_or(u64::MAX)
        };
        Ended {
            slot: self.slot,
            how: self.how,
            sent: ago(self.sent),
            ended: ago(self.at),
            // `Duration::MAX` means that the limit of the rolling window did not cause the 429.
            wait: self.wait.map(|wait| millis(wait.min(Duration::from_secs(86_400)))),
            starts: self.starts.map(|starts| millis(starts.saturating_duration_since(now))),
        }
    }
}

impl PendingChange {
    fn tell(self, now: Instant) -> BlockChange {
        let change = match self.kind {
            ChangeKind::Set(block, at) => Change::Set(still(&block, at, now)),
            ChangeKind::Answered => Change::Answered(true),
            ChangeKind::Lost => Change::Lost(true),
        };
        BlockChange { key: self.key, change }
    }
}

/// Returns a copy of the block with the remaining time at `now`. The given block contains the
/// remaining time at `at`.
fn still(block: &SharedBlock, at: Instant, now: Instant) -> SharedBlock {
    let mut block = block.clone();
    let passed = u64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(u64::MAX);
    block.left = block.left.saturating_sub(passed);
    block
}
