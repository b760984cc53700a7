//! Tests the events that observers receive, and observers that hang, panic or call the API.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use spot_http::{Error, Event, Observer, Pipeline, Request};
use tokio::time::timeout;

use crate::script::{Script, status, wait};

/// An observer that stores all events, and hangs at its first event until the test drops the
/// sender.
#[derive(Clone, Debug)]
struct Hangs {
    until: Arc<Mutex<Receiver<()>>>,
    received: Arc<Mutex<Vec<Event>>>,
}

impl Hangs {
    fn new() -> (Self, Sender<()>) {
        let (release, until) = channel();
        (Self { until: Arc::new(Mutex::new(until)), received: Arc::default() }, release)
    }
}

impl Observer for Hangs {
    fn event(&self, event: &Event) {
        // An error means that the test dropped the sender.
        let _ = self.until.lock().unwrap().recv();
        self.received.lock().unwrap().push(event.clone());
    }
}

async fn calls(pipeline: &Pipeline, count: usize) {
    for _ in 0..count {
        pipeline.call(Request::get("/me")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_observer_delays_no_call_and_gets_a_loss_count() {
    const CALLS: usize = 1_000;
    // Each call reports three events: the attempt starts, the attempt ends, and the call ends.
    const EVENTS_A_CALL: usize = 3;

    let (observer, release) = Hangs::new();
    let pipeline = Script::new([status(200)]).pipeline().observer(observer.clone()).build();
    let pipeline = pipeline.unwrap();
    let start = Instant::now();
    calls(&pipeline, CALLS).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(observer.received.lock().unwrap().is_empty());
    let settled = timeout(Duration::from_secs(60), pipeline.settled()).await;
    settled.expect_err("the observer hangs");

    drop(release);
    pipeline.settled().await;
    let count = |received: &[Event]| -> (usize, u64) {
        let lost = received.iter().map(|event| match event {
            Event::Lost { count, .. } => *count,
            _ => 0,
        });
        let reports = received.iter().filter(|event| matches!(event, Event::Lost { .. })).count();
        (received.len() - reports, lost.sum())
    };
    let (received, lost) = count(&observer.received.lock().unwrap());
    assert!(lost > 0 && received >= 1_024, "{received} received, {lost} lost");
    assert_eq!(received + lost as usize, CALLS * EVENTS_A_CALL);
    let last = observer.received.lock().unwrap().last().cloned();
    assert!(matches!(last, Some(Event::Lost { .. })), "the report comes last: {last:?}");

    // From here on, no events are lost.
    observer.received.lock().unwrap().clear();
    calls(&pipeline, 2).await;
    pipeline.settled().await;
    assert_eq!(count(&observer.received.lock().unwrap()), (2 * EVENTS_A_CALL, 0));
}

/// An observer that counts all events and panics at every second event.
#[derive(Clone, Debug, Default)]
struct Panics(Arc<Mutex<usize>>);

impl Observer for Panics {
    fn event(&self, _: &Event) {
        let count = {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            *count
        };
        assert!(!count.is_multiple_of(2), "the program's observer panics, as the test wants");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_receives_the_next_event() {
    let observer = Panics::default();
    let pipeline = Script::new([status(200)]).pipeline().observer(observer.clone()).build();
    let pipeline = pipeline.unwrap();
    calls(&pipeline, 4).await;
    pipeline.settled().await;
    assert_eq!(*observer.0.lock().unwrap(), 12);
}

/// An observer that stores the names of all events.
#[derive(Clone, Debug, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl Observer for Names {
    fn event(&self, event: &Event) {
        let text = format!("{event:?}");
        let name = text.split(' ').next().unwrap_or_default();
        self.0.lock().unwrap().push(name.to_owned());
    }
}

#[tokio::test(start_paused = true)]
async fn observer_events_arrive_in_order() {
    let names = Names::default();
    let script = Script::new([status(503), wait("2"), status(200)]);
    let pipeline = script.pipeline().observer(names.clone()).build().unwrap();
    calls(&pipeline, 1).await;
    pipeline.settled().await;
    let received = names.0.lock().unwrap().join(" ");
    let expected = "AttemptStarted AttemptEnded Retry AttemptStarted AttemptEnded RateLimited \
                    Retry Throttled AttemptStarted AttemptEnded CallEnded";
    assert_eq!(received, expected);
}

#[tokio::test]
async fn events_are_delivered_after_the_pipeline_is_dropped() {
    let names = Names::default();
    let script = Script::new([status(200)]);
    let pipeline = script.pipeline().observer(names.clone()).build().unwrap();
    calls(&pipeline, 10).await;
    drop(pipeline);
    let arrived = async {
        while names.0.lock().unwrap().len() < 30 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(30), arrived).await.expect("all events");
}

#[tokio::test]
async fn settled_returns_immediately_without_an_observer() {
    let pipeline = Script::new([status(200)]).pipeline().build().unwrap();
    calls(&pipeline, 1).await;
    timeout(Duration::from_secs(5), pipeline.settled()).await.expect("at once");
}

/// An observer that makes a call when the first call has ended.
#[derive(Clone, Debug, Default)]
struct CallsBack(Arc<OnceLock<Pipeline>>, Arc<Mutex<Vec<Result<u16, Error>>>>);

impl Observer for CallsBack {
    fn event(&self, event: &Event) {
        if !matches!(event, Event::CallEnded { .. }) || !self.1.lock().unwrap().is_empty() {
            return;
        }
        let Some(pipeline) = self.0.get().cloned() else { return };
        let called = tokio::runtime::Handle::current()
            .block_on(async move { pipeline.call(Request::get("/me")).await });
        self.1.lock().unwrap().push(called.map(|response| response.status()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_can_call_the_api_without_deadlock() {
    let observer = CallsBack::default();
    let script = Script::new([status(200)]);
    let pipeline = script.pipeline().observer(observer.clone()).build().unwrap();
    observer.0.set(pipeline.clone()).unwrap();
    calls(&pipeline, 1).await;
    timeout(Duration::from_secs(10), pipeline.settled()).await.expect("no deadlock");
    assert!(matches!(observer.1.lock().unwrap()[..], [Ok(200)]));
    assert_eq!(script.count(), 2);
}
