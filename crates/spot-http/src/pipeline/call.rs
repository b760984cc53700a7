//! One call: its attempts and the waits between them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use spot_model::{AccessMode, Method};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use crate::{
    AccessToken, AttemptEnd, Error, ErrorKind, Event, Feedback, Permit, PermitRequest, Request,
    Response, TokenSource, TransportError,
    failure::{self, Backoff, Outcome},
    pipeline::{
        budget,
        shared::{self, Caller, Shared, later},
        trace, user_code,
    },
    rate_limit::describe,
};

/// One call. Dropping a call is safe at any time, because the only resource of a call is its
/// rate-limit slot.
pub(crate) struct Call<'a> {
    shared: &'a Shared,
    tokens: &'a dyn TokenSource,
    access: AccessMode,
    request: &'a Request,
    /// Conditional headers that the cache adds to the request.
    conditions: HeaderMap,
    start: Instant,
    deadline: Instant,
    max_wait: Duration,
    attempts: u32,
    backoff: Backoff,
    repeatable: bool,
    /// The number of the attempt, counted from 1.
    attempt: u32,
    waited: Duration,
    /// Number of points that the last retry took from the retry budget.
    paid: u32,
    /// A token that the API refused, and the error of that attempt.
    refused: Option<(AccessToken, Error)>,
    /// The token of the last attempt.
    token: Option<AccessToken>,
}

/// The step that follows an attempt.
enum Next {
    Done(http::Response<Bytes>),
    Again,
    After(Duration),
}

impl<'a> Call<'a> {
    pub(crate) fn new(caller: Caller<'a>, request: &'a Request) -> Self {
        let Caller { shared, tokens, access } = caller;
        let (options, settings) = (request.options(), &shared.settings);
        let start = Instant::now();
        Self {
            shared,
            tokens,
            access,
            request,
            conditions: HeaderMap::new(),
            start,
            deadline: shared.deadline(request, start),
            max_wait: options.max_wait.unwrap_or(settings.max_wait),
            attempts: options.attempts.unwrap_or(settings.attempts).max(1),
            backoff: options.backoff.unwrap_or(settings.backoff),
            repeatable: options.repeatable.unwrap_or(request.operation().idempotent),
            attempt: 0,
            waited: Duration::ZERO,
            paid: 0,
            refused: None,
            token: None,
        }
    }

    /// Adds headers that make the server respond with 304 if nothing changed. A call with these
    /// headers treats a 304 as a success.
    #[cfg(feature = "cache")]
    pub(crate) fn with_conditions(mut self, conditions: HeaderMap) -> Self {
        self.conditions = conditions;
        self
    }

    pub(crate) async fn run(mut self) -> Result<Response<Bytes>, Error> {
        let span = trace::call(self.request);
        let ended = self.attempts().instrument(span.clone()).await;
        let ended = ended.map_err(|error| {
            let error = error.with_operation(self.request.operation());
            let error = error.with_target(self.request.url_path());
            error.with_attempts(self.attempt)
        });
        trace::end_call(&span, self.attempt, self.waited, ended.as_ref().err());
        self.shared.observe(|| Event::CallEnded {
            operation: self.request.operation(),
            attempts: self.attempt,
            waited: self.waited,
            took: self.start.elapsed(),
            error: ended.as_ref().err().cloned(),
        });
        let (head, body) = ended?.into_parts();
        Ok(Response {
            body,
            status: head.status.as_u16(),
            headers: head.headers,
            attempts: self.attempt,
            waited: self.waited,
            cached: false,
            token: self.token,
        })
    }

    async fn attempts(&mut self) -> Result<http::Response<Bytes>, Error> {
        loop {
            let mut permit = self.pass().await?;
            let token = shared::token(self.tokens, self.deadline).await?;
            if let Some((_, error)) = self.refused.as_ref().filter(|(old, _)| old.same(&token)) {
                // The token source has no other token.
                return Err(error.clone());
            }
            let start = Instant::now();
            permit.sent(start);
            match self.attempt(permit, &token, start).await? {
                Next::Done(response) => {
                    self.token = Some(token);
                    return Ok(response);
                }
                Next::Again => {}
                Next::After(wait) => {
                    sleep(wait).await;
                    self.waited += wait;
                }
            }
        }
    }

    /// Waits for the rate limit.
    async fn pass(&mut self) -> Result<Box<dyn Permit>, Error> {
        let operation = self.request.operation();
        let priority = self.request.options().priority.unwrap_or_default();
        let (deadline, max_wait) = (self.deadline, self.max_wait);
        let start = if self.attempt == 0 { self.start } else { Instant::now() };
        let request = PermitRequest { operation, priority, deadline, max_wait };
        let passed = self.shared.limiter.acquire(request).await;
        let waited = start.elapsed();
        // A time of less than 1 ms is not reported as a wait.
        if waited >= Duration::from_millis(1) {
            self.waited += waited;
            tracing::debug!(waited_ms = millis(waited), "the call waited for the rate limit");
            self.shared.observe(|| Event::Throttled { operation, waited });
        }
        passed
    }

    /// Sends the request once.
    async fn attempt(
        &mut self,
        permit: Box<dyn Permit>,
        token: &AccessToken,
        start: Instant,
    ) -> Result<Next, Error> {
        let operation = self.request.operation();
        let message = match self.message(token) {
            Ok(message) => message,
            Err(error) => {
                _ = self.finish(permit, AttemptEnd::NotSent);
                let error = Error::bad_request(format!("the request is not valid: {error}"));
                return Err(error.with_operation(operation));
            }
        };
        self.attempt += 1;
        let attempt = self.attempt;
        self.shared.observe(|| Event::AttemptStarted { operation, attempt });
        let span = trace::attempt(self.shared, self.request, attempt);
        let sent = self.send(message, start).instrument(span.clone()).await;
        trace::end_attempt(&span, &sent);
        let status = sent.as_ref().ok().map(|response| response.status().as_u16());
        let (error, outcome) = match sent {
            Ok(response) if self.is_success(response.status()) => {
                self.finish(permit, AttemptEnd::Answered);
                self.shared.budget.succeeded(self.paid);
                self.ended(status, None, start);
                return Ok(Next::Done(response));
            }
            Ok(response) => {
                let outcome = Outcome::of_status(response.status().as_u16());
                let error = failure::refused(operation, self.access, &response, token);
                let path = self.request.url_path();
                (failure::advise(error, operation, self.access, path), outcome)
            }
            Err(error) => {
                let outcome = Outcome::of_transport_error(error.kind());
                let error = Error::transport(error).without_secrets(&[token.expose()]);
                (error.with_operation(operation), outcome)
            }
        };
        self.ended(status, Some(error.kind()), start);
        let wait = self.backoff.wait(attempt, self.shared.random());
        let wait = wait.max(error.retry_after().unwrap_or_default());
        match outcome {
            Outcome::RateLimited => return self.throttled(permit, error, wait),
            Outcome::NotSent => _ = self.finish(permit, AttemptEnd::NotSent),
            _ if status.is_some() => _ = self.finish(permit, AttemptEnd::Answered),
            // The request may have reached the server, so the slot stays in use.
            _ => drop(permit),
        }
        if outcome == Outcome::Unauthorized {
            // Spotify would also refuse a new token of the application.
            let needs_user = error.message().contains("user authentication");
            if error.kind() != ErrorKind::Authentication || self.refused.is_some() || needs_user {
                return Err(error);
            }
            let reject = user_code::call(self.tokens.reject(token));
            if !matches!(timeout_at(self.deadline, reject).await, Ok(Ok(()))) {
                return Err(error);
            }
            // The next attempt follows at once and costs nothing from the retry budget, because
            // only the token was wrong.
            self.refused = Some((token.clone(), error));
            return Ok(Next::Again);
        }
        if !outcome.may_retry(self.repeatable) || !self.may_retry_in(outcome, wait) {
            return Err(outcome.report(error, self.repeatable));
        }
        self.retries(&error, wait);
        Ok(Next::After(wait))
    }

    /// Handles a 429: reports it to the limiter, and retries if the wait is acceptable for the
    /// call.
    fn throttled(
        &mut self,
        permit: Box<dyn Permit>,
        error: Error,
        wait: Duration,
    ) -> Result<Next, Error> {
        let operation = self.request.operation();
        // The wait is random, so that many machines do not retry at the same moment.
        let wait = wait.saturating_add(Duration::from_millis(500).mul_f64(self.shared.random()));
        let feedback = self.finish(permit, AttemptEnd::refused(&error, wait));
        let pause = feedback.block.unwrap_or(wait);
        let quota = error.kind() == ErrorKind::QuotaExceeded;
        tracing::warn!(pause_ms = millis(pause), quota, "{operation} was refused with 429");
        self.shared.observe(|| Event::RateLimited { operation, pause, quota });
        if !self.may_retry_in(Outcome::RateLimited, pause) {
            let message = describe(&error, pause, quota || operation.own_limit);
            return Err(error.with_message(message).with_retry_after(pause));
        }
        self.retries(&error, pause);
        // This function does not sleep, because the limiter delays the next attempt.
        Ok(Next::Again)
    }

    /// Whether the number of attempts, the maximum wait, the deadline and the retry budget allow a
    /// retry. If a retry is allowed, this function subtracts the price of the retry from the retry
    /// budget.
    fn may_retry_in(&mut self, outcome: Outcome, wait: Duration) -> bool {
        let in_time = wait <= self.max_wait && later(Instant::now(), wait) < self.deadline;
        // The retry budget is checked last, so that only actual retries reduce the retry budget.
        let goes = self.attempt < self.attempts
            && in_time
            && self.shared.budget.pay(budget::price(outcome));
        if goes {
            self.paid = budget::price(outcome);
        }
        goes
    }

    async fn send(
        &self,
        message: http::Request<Bytes>,
        start: Instant,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let timeout = self.request.options().attempt_timeout;
        let timeout = timeout.unwrap_or(self.shared.settings.attempt_timeout);
        self.shared.send(message, self.deadline.min(later(start, timeout))).await
    }

    fn message(&self, token: &AccessToken) -> Result<http::Request<Bytes>, http::Error> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let (request, method) = (self.request, self.request.operation().method);
        // Fields are set in place, because each step of a builder would move the whole request.
        let mut message = http::Request::new(Bytes::new());
        *message.uri_mut() = request.url(&self.shared.settings.base_url).try_into()?;
        *message.method_mut() = method.as_str().try_into()?;
        let headers = message.headers_mut();
        headers.insert(header::AUTHORIZATION, token.header().clone());
        headers.insert(header::ACCEPT, JSON);
        if let Some(language) = &self.shared.accept_language {
            headers.insert(header::ACCEPT_LANGUAGE, language.clone());
        }
        for (name, value) in &self.conditions {
            headers.append(name, value.clone());
        }
        match request.body() {
            Some(body) => {
                let kind = HeaderValue::try_from(body.content_type)?;
                headers.insert(header::CONTENT_TYPE, kind);
                *message.body_mut() = body.data.clone();
            }
            // Spotify responds with 411 to a PUT or POST without a length.
            None if method != Method::Get => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
            }
            None => {}
        }
        Ok(message)
    }

    fn is_success(&self, status: StatusCode) -> bool {
        status.is_success() || (status == StatusCode::NOT_MODIFIED && !self.conditions.is_empty())
    }

    /// Reports the end of an attempt to the limiter.
    fn finish(&self, permit: Box<dyn Permit>, end: AttemptEnd<'_>) -> Feedback {
        let feedback = permit.finish(end);
        if let Some(limit) = feedback.limit {
            tracing::info!(limit, "the rate limit of the application is now known");
            self.shared.observe(|| Event::LimitLearned { limit });
        }
        feedback
    }

    fn ended(&self, status: Option<u16>, error: Option<ErrorKind>, start: Instant) {
        let (operation, attempt) = (self.request.operation(), self.attempt);
        self.shared.observe(|| {
            let latency = start.elapsed();
            Event::AttemptEnded { operation, attempt, status, error, latency }
        });
    }

    fn retries(&self, error: &Error, after: Duration) {
        let (operation, attempt) = (self.request.operation(), self.attempt);
        tracing::debug!(after_ms = millis(after), %error, "retrying");
        self.shared.observe(|| {
            let error = error.clone();
            Event::Retry { operation, attempt, error, after }
        });
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
