//! What a request does when it is sent: as one call, as a stream of pages, as several calls.

use super::{build::build, request::chunked_output};
use crate::{
    codegen::{camel, doc},
    spec::{Chunk, Join, Op, Paging, PagingBy, Param, Spec},
    ty::Ty,
};

/// Sending, streaming and the request as data, for a call that is one request.
pub(super) fn single(spec: &Spec, op: &Op, returns: &Ty) -> String {
    let mut out = String::new();
    if let Some(paging) = op.paging.as_ref().filter(|paging| paging.by != PagingBy::Search) {
        out.push_str(&items(spec, op, paging, returns));
    }
    out.push_str(&format!(
        "    /// Sends the request: the answer with its status, headers and number of attempts.\n    \
         pub async fn send(self) -> Result<Response<{}>, Error> {{\n{}    }}\n\n",
        returns.rust(),
        send(op, returns)
    ));
    out.push_str("    /// The request as plain data, for a client of your own.\n");
    out.push_str("    pub fn into_request(self) -> Request {\n        self.request()\n    }\n\n");
    out.push_str("    fn request(&self) -> Request {\n");
    out.push_str(&build(op, None));
    out.push_str("    }\n");
    out
}

fn send(op: &Op, returns: &Ty) -> String {
    match (returns, &op.unwrap) {
        (Ty::Unit, _) => "        self.client.command(self.request()).await\n".to_owned(),
        (Ty::Optional(_), _) => {
            "        self.client.fetch_optional(self.request()).await\n".to_owned()
        }
        (returns, Some(field)) => format!(
            "        #[derive(Deserialize)]\n        struct Answer {{\n            {field}: {},\n        }}\n        \
             let answer = self.client.fetch::<Answer>(self.request()).await?;\n        \
             Ok(answer.map(|answer| answer.{field}))\n",
            returns.rust()
        ),
        _ => "        self.client.fetch(self.request()).await\n".to_owned(),
    }
}

fn items(spec: &Spec, op: &Op, paging: &Paging, returns: &Ty) -> String {
    // The page may be a field of the answer.
    let page = paging.page.as_deref().and_then(|page| {
        let Ty::Named(answer) = returns else { return None };
        spec.kind(answer)?.fields.iter().find(|field| field.name == page)
    });
    let fetch = "self.clone().limit(limit).offset(offset)";
    let fetch = match page {
        Some(page) => format!(
            "let request = {fetch};\n            \
             Box::pin(async move {{ Ok(request.await?.{}) }})",
            page.name
        ),
        None => format!("{fetch}.into_future()"),
    };
    let item = match page.map_or(returns, |page| &page.ty) {
        Ty::Page(item) => item.rust(),
        Ty::CursorPage(item) => format!("{}, {}", item.rust(), returns.rust()),
        other => other.rust(),
    };
    let max = paging.max;
    let (text, body) = match paging.by {
        PagingBy::Offset | PagingBy::Search => (
            "Streams all of them, from the offset on. The first page says how many there are; the \
             ones after it are asked for ahead of their use. It lets other calls pass while the \
             rate limit is met.",
            format!(
                "        let first = self.offset.unwrap_or(0);\n        \
                 let limit = self.limit.unwrap_or({max});\n        \
                 Items::by_offset(first{}, move |offset| {{\n            \
                 {fetch}\n        }})\n",
                paging.last_offset.map_or(", None".to_owned(), |last| format!(", Some({last})")),
            ),
        ),
        PagingBy::Cursor => {
            let cursor = paging.cursor.as_deref().unwrap_or("after");
            let parse = if cursor == "before" { "cursors.before" } else { "cursors.after" };
            let set = match op.query.iter().find(|param| param.name == cursor) {
                Some(Param { ty: Ty::UnixMillis, .. }) => "items::time_cursor(&cursor)",
                _ => "Some(cursor)",
            };
            (
                "Streams all of them, from the cursor on. Each page names the one after it, so \
                 that one page is asked for ahead of its use. It lets \
                 other calls pass while the rate limit is met.",
                format!(
                    "        let limit = self.limit.unwrap_or({max});\n        \
                     Items::by_cursor(|page| page.{parse}.clone(), move |cursor| {{\n            \
                     let mut request = self.clone().limit(limit);\n            \
                     if let Some(cursor) = cursor {{\n                \
                     request.{cursor} = {set};\n            }}\n            \
                     request.into_future()\n        }})\n"
                ),
            )
        }
    };
    // Inline, so that it is compiled where it is called and not in `spot-api`, as awaiting is.
    format!(
        "{}    #[inline]\n    pub fn items(mut self) -> Items<{item}> {{\n        \
         self.client = self.client.in_bulk();\n{body}    }}\n\n",
        doc("    ", &[text])
    )
}

/// Sending for a call that is several requests if its list is long.
pub(super) fn chunked(spec: &Spec, op: &Op, chunk: &Chunk, returns: &Ty) -> String {
    let Chunk { by, max, join, single } = chunk;
    let join = *join;
    let list = op.query.iter().chain(&op.body).find(|param| param.name == *by);
    let (field, item) = match list {
        Some(Param { ty: Ty::List(inner), .. }) => {
            (list.map_or("", |list| list.rust()), inner.rust())
        }
        _ => ("", String::new()),
    };
    let output = chunked_output(join, returns);
    let mut out = format!(
        "    /// How many one call takes.\n    pub const CHUNK: usize = {max};\n\n    \
         async fn run(self) -> Result<{output}, Error> {{\n"
    );
    if join == Join::Replace {
        out = format!(
            "    /// How many one call takes.\n    pub const CHUNK: usize = {max};\n\n    \
             async fn run(self) -> Result<{output}, Error> {{\n        self.replace_all().await\n    }}\n\n    \
             pub(crate) fn request(&self, {field}: &[{item}]) -> Request {{\n"
        );
        out.push_str(&build(op, Some((by, join))));
        out.push_str("    }\n");
        return out;
    }
    let answer = match (returns, &op.unwrap) {
        (Ty::Unit, _) => "chunks::Nothing".to_owned(),
        (_, Some(unwrap)) => {
            out.push_str(&format!(
                "        #[derive(Deserialize)]\n        struct Answer {{\n            {unwrap}: {},\n        }}\n",
                returns.rust()
            ));
            "Answer".to_owned()
        }
        _ => returns.rust(),
    };
    out.push_str(&format!(
        "        let {field} = chunks::parsed(Self::OPERATION, \"{by}\", &self.{field})?;\n"
    ));
    match join {
        Join::Unit => out.push_str(&format!(
            "        chunks::each(&self.client, &{field}, Self::CHUNK, |part| self.request(part)).await\n"
        )),
        Join::Concat => {
            if let Some((name, op)) = single.as_deref().and_then(|name| Some((name, spec.op(name)?)))
            {
                out.push_str(&one_by_one(name, op, field));
            }
            let entries = match &op.unwrap {
                Some(unwrap) => format!("|answer: Answer| answer.{unwrap}"),
                None => format!("|answer: {answer}| answer"),
            };
            out.push_str(&format!(
                "        chunks::concat(&self.client, &{field}, Self::CHUNK, |part| self.request(part), {entries}).await\n"
            ));
        }
        Join::Position => out.push_str(&format!(
            "        let sent = chunks::chain(&self.client, &{field}, Self::CHUNK, |part, done, _: Option<&{answer}>| {{\n            \
             self.request(part, done)\n        }}).await?;\n        Ok(sent.map(|answer| answer.{}))\n",
            op.unwrap.as_deref().unwrap_or_default()
        )),
        Join::Snapshot => out.push_str(&format!(
            "        let sent = chunks::chain(&self.client, &{field}, Self::CHUNK, |part, _, last: Option<&{answer}>| {{\n            \
             let snapshot = last.map(|last| &last.{unwrap});\n            \
             self.request(part, snapshot)\n        }}).await?;\n        \
             Ok(sent.map(|answer| answer.{unwrap}))\n",
            unwrap = op.unwrap.as_deref().unwrap_or_default()
        )),
        // Left above.
        Join::Replace => {}
    }
    out.push_str("    }\n\n");
    let more = match join {
        Join::Unit | Join::Concat | Join::Replace => "",
        Join::Position => ", done: usize",
        Join::Snapshot => ", snapshot_id: Option<&SnapshotId>",
    };
    out.push_str(&format!("    fn request(&self, {field}: &[{item}]{more}) -> Request {{\n"));
    out.push_str(&build(op, Some((by, join))));
    out.push_str("    }\n");
    out
}

/// Reading one by one, for applications to which reading many is closed.
fn one_by_one(name: &str, op: &Op, ids: &str) -> String {
    let id = op.path.first().map_or("id", |id| id.rust());
    let market = if op.market { ", market: self.market.clone()" } else { "" };
    format!(
        "        if !self.client.is_extended() {{\n            \
         return chunks::one_by_one(&self.client, &{ids}, |id| {{\n                \
         {} {{ client: self.client.clone(), {id}: Ok(*id){market} }}.request()\n            \
         }}).await;\n        }}\n",
        camel(name)
    )
}
