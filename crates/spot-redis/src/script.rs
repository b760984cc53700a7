//! Scripts that the server runs.

use std::sync::OnceLock;

use redis::{Cmd, ToRedisArgs};

/// A script with its keys and arguments.
#[derive(Clone)]
pub(crate) struct ScriptCall {
    script: &'static Script,
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

/// A script and its hash, which identifies it on the server.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    hash: OnceLock<String>,
}

impl Script {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, hash: OnceLock::new() }
    }

    fn hash(&self) -> &str {
        self.hash.get_or_init(|| redis::Script::new(self.text).get_hash().to_owned())
    }

    /// Creates a call of the script, without keys and arguments.
    pub(crate) fn call(&'static self) -> ScriptCall {
        ScriptCall { script: self, keys: Vec::new(), arguments: Vec::new() }
    }
}

impl ScriptCall {
    /// Adds a key.
    pub(crate) fn key(mut self, key: impl ToRedisArgs) -> Self {
        key.write_redis_args(&mut self.keys);
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }

    /// Returns the command that runs the script by its hash. The server must already have the
    /// script.
    pub(crate) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", self.script.hash())
    }

    /// Returns the command that sends the script and runs it.
    pub(crate) fn with_text(&self) -> Cmd {
        self.command("EVAL", self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}
