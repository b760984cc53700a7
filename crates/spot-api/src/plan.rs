//! Which page of a list to ask for next.

use std::marker::PhantomData;

use crate::Position;

/// What a page says of the list, whatever the way it is cut.
pub(crate) struct Facts {
    /// How many entries it has, those included that were left out.
    pub(crate) entries: usize,
    /// How far it is to the offset of the next page: the limit as the server says it, which may be
    /// another than the one that was asked for. 0 if unknown.
    pub(crate) step: u32,
    pub(crate) total: Option<u32>,
    pub(crate) has_next: bool,
}

/// Which page to ask for next, by what the pages before it said.
pub(crate) enum Plan<P> {
    Offset(ByOffset<P>),
    Cursor(ByCursor<P>),
}

impl<P> Plan<P> {
    /// The page to ask for now, if one is known to be there and was not asked for.
    pub(crate) fn ask(&mut self) -> Option<Position> {
        match self {
            Self::Offset(plan) => plan.ask().map(Position::Offset),
            Self::Cursor(plan) => plan.ask.take().map(Position::Cursor),
        }
    }

    pub(crate) fn arrived(&mut self, page: &P, at: &Position, facts: &Facts) {
        match (self, at) {
            (Self::Offset(plan), Position::Offset(at)) => plan.arrived(*at, facts),
            (Self::Cursor(plan), _) => plan.arrived(page, facts),
            // A plan by offset asks for offsets only.
            (Self::Offset(_), Position::Cursor(_)) => {}
        }
    }

    /// Whether a page that is on its way is still in the list.
    pub(crate) fn wants(&self, at: &Position) -> bool {
        match (self, at) {
            (Self::Offset(ByOffset { next: Next::Until(end), .. }), Position::Offset(at)) => {
                at < end
            }
            _ => true,
        }
    }

    /// Where the page after the last one given starts.
    pub(crate) fn delivered(&self) -> Position {
        match self {
            Self::Offset(plan) => Position::Offset(plan.delivered),
            Self::Cursor(plan) => Position::Cursor(plan.delivered.clone()),
        }
    }

    pub(crate) fn stop(&mut self) {
        match self {
            Self::Offset(plan) => plan.next = Next::End,
            Self::Cursor(plan) => plan.ask = None,
        }
    }
}

/// By offset: once the length is known, so are all pages.
pub(crate) struct ByOffset<P> {
    delivered: u32,
    asked: u32,
    step: u32,
    next: Next,
    /// The largest offset the API takes.
    last: Option<u32>,
    page: PhantomData<fn(P)>,
}

/// What may be asked for.
enum Next {
    /// One page, which has to arrive before another is asked for: the first one, and those of
    /// lists that do not say their length, or say a wrong one.
    One,
    /// All pages that start before this offset.
    Until(u32),
    End,
}

impl<P> ByOffset<P> {
    pub(crate) fn new(first: u32, last: Option<u32>) -> Self {
        Self { delivered: first, asked: first, step: 0, next: Next::One, last, page: PhantomData }
    }

    fn ask(&mut self) -> Option<u32> {
        let at = self.asked;
        match self.next {
            _ if self.last.is_some_and(|last| at > last) => return None,
            Next::One => self.next = Next::End,
            // Asking at or behind the end can be answered with a server error.
            Next::Until(end) if at < end => {}
            Next::Until(_) | Next::End => return None,
        }
        self.asked = at.saturating_add(self.step);
        Some(at)
    }

    fn arrived(&mut self, at: u32, facts: &Facts) {
        let entries = u32::try_from(facts.entries).unwrap_or(u32::MAX);
        self.step = if facts.step > 0 { facts.step } else { entries.max(1) };
        self.delivered = at.saturating_add(self.step);
        self.asked = self.asked.max(self.delivered);
        self.next = match facts.total {
            Some(total) if self.delivered < total => Next::Until(total),
            // The last page by the length, or a list without one: only the link tells.
            _ if facts.has_next => Next::One,
            Some(total) => Next::Until(total),
            None => Next::End,
        };
    }
}

/// By cursor: each page names the one after it.
pub(crate) struct ByCursor<P> {
    delivered: Option<String>,
    ask: Option<Option<String>>,
    cursor: fn(&P) -> Option<String>,
}

impl<P> ByCursor<P> {
    pub(crate) fn new(cursor: fn(&P) -> Option<String>) -> Self {
        Self { delivered: None, ask: Some(None), cursor }
    }

    fn arrived(&mut self, page: &P, facts: &Facts) {
        let cursor = (self.cursor)(page);
        // A cursor that leads back to the same page would never end.
        let goes_on = facts.has_next && cursor.is_some() && cursor != self.delivered;
        self.ask = goes_on.then(|| cursor.clone());
        if cursor.is_some() {
            self.delivered = cursor;
        }
    }
}
