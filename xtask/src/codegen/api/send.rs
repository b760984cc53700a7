//! Generates the methods that send a request: once, as a stream of pages, or in chunks.

use crate::{
    codegen::{api::build::build, camel, doc},
    spec::{Chunk, Join, Op, Paging, PagingBy, Param, Spec},
    ty::Ty,
};

/// The methods of a request that is sent once.
pub(super) fn single(op: &Op, returns: &Ty) -> String {
    let mut out = String::new();
    if let Some(paging) = op.paging.as_ref().filter(|paging| paging.by != PagingBy::Search) {
        out.push_str(&stream(paging, returns));
    }
    out.push_str("    /// Returns the request as plain data, without sending it.\n");
    out.push_str("    pub fn into_request(self) -> Request {\n");
    out.push_str(&build(op, None));
    out.push_str("    }\n");
    out
}

/// The line that makes a request awaitable.
pub(super) fn sent(ty: &str, op: &Op, returns: &Ty) -> String {
    let Some(chunk) = &op.chunk else {
        let unwrap = op.unwrap.as_ref();
        let body = match returns {
            Ty::Optional(body) => format!("optional {}", body.rust()),
            Ty::Page(_) | Ty::CursorPage(_) => format!("page {}", returns.rust()),
            _ => returns.rust() + &unwrap.map_or(String::new(), |field| format!(", in {field}")),
        };
        return format!("single!({ty} => {body});\n");
    };
    let body = match (chunk.join, returns) {
        (Join::Unit, _) => "()".to_owned(),
        (Join::Concat, Ty::List(entry)) => {
            let (kind, entry) = match &**entry {
                Ty::Optional(entry) if chunk.single.is_some() => ("singles", entry.rust()),
                entry => ("concat", entry.rust()),
            };
            let field = op.unwrap.as_ref().map_or(String::new(), |field| format!(", in {field}"));
            format!("{kind} {entry}{field}")
        }
        (Join::Concat, _) => String::new(),
        (Join::Position, _) => "append".to_owned(),
        (Join::Snapshot, _) => "chain".to_owned(),
        (Join::Replace, _) => "replace".to_owned(),
    };
    format!("chunked!({ty} => {body});\n")
}

fn stream(paging: &Paging, returns: &Ty) -> String {
    let item = match returns {
        Ty::CursorPage(item) => format!("{}, {}", item.rust(), returns.rust()),
        Ty::Page(item) => item.rust(),
        other => other.rust(),
    };
    let start = if paging.by == PagingBy::Cursor { "cursor" } else { "offset" };
    // The method is inline, so that it is compiled in the caller's crate and not in `spot-api`. The
    // code for awaiting a request is also inline.
    format!(
        "{}    #[doc(alias = \"items\")]\n    #[inline]\n    pub fn stream(self) -> Items<{item}> {{\n        \
         Items::new(self.client.clone(), self.into_request())\n    }}\n\n",
        doc(
            "    ",
            &[&format!("Streams all entries, starting at the {start}, and prefetches pages.")]
        )
    )
}

/// The methods of a request that is sent in chunks if its list is long.
pub(super) fn chunked(spec: &Spec, op: &Op, chunk: &Chunk) -> String {
    let Chunk { by, max, join, single } = chunk;
    let list = op.query.iter().chain(&op.body).find(|param| param.name == *by);
    let (field, item) = match list {
        Some(Param { ty: Ty::List(inner), .. }) => {
            (list.map_or("", |list| list.rust()), inner.rust())
        }
        _ => ("", String::new()),
    };
    let mut out = format!(
        "    /// Maximum number of entries per request.\n    pub const CHUNK: usize = {max};\n\n"
    );
    let given = format!("Self::OPERATION, \"{by}\", &self.{field}");
    let (arguments, values) = match join {
        Join::Unit | Join::Concat | Join::Replace => ("", "|part, _| self.request(part)"),
        Join::Position => (", done: usize", "|part, done| self.request(part, done)"),
        Join::Snapshot => {
            (", snapshot_id: Option<&SnapshotId>", "|part, _| self.request(part, None)")
        }
    };
    if *join == Join::Snapshot {
        out.push_str(&format!(
            "    /// Sends the requests one after another. If you set a snapshot, the first \
             request contains\n    /// this snapshot, and each further request contains the \
             snapshot from the previous response.\n    /// Returns the responses in the order of \
             the requests. If the list is empty, no request is\n    /// sent.\n    \
             ///\n    /// # Errors\n    ///\n    /// Fails if one of the requests fails. \
             [`Error::done`](crate::Error::done) returns how many\n    /// entries Spotify \
             processed before the failure.\n    \
             pub async fn send(self) -> Result<Vec<Response<SnapshotId>>, Error> {{\n        \
             chunks::chain(&self.client, {given}, Self::CHUNK, |part, last| {{\n            \
             self.request(part, last)\n        }}).await\n    }}\n\n"
        ));
    }
    // Replacing a list needs two operations, so `spot-api` contains handwritten code for it.
    if *join != Join::Replace {
        let more = match join {
            Join::Snapshot => {
                " If you set a snapshot, all requests contain this snapshot, because the \
                 requests are created before the first response arrives."
            }
            _ if single.is_some() => {
                " In Development Mode, the returned list contains one request for each id."
            }
            _ => "",
        };
        let text = format!(
            "Returns the requests as plain data, without sending them. The requests are in the order of the list.{more}"
        );
        out.push_str(&doc("    ", &[&text]));
        out.push_str("    pub fn into_requests(self) -> Vec<Request> {\n");
        if let Some((name, op)) = single.as_deref().and_then(|name| Some((name, spec.op(name)?))) {
            out.push_str(&one_by_one(name, op, &given));
        }
        out.push_str(&format!(
            "        chunks::requests({given}, Self::CHUNK, {values})\n    }}\n\n"
        ));
    }
    let visible = if *join == Join::Replace { "pub(crate) " } else { "" };
    out.push_str(&format!(
        "    {visible}fn request(&self, {field}: &[{item}]{arguments}) -> Request {{\n"
    ));
    out.push_str(&build(op, Some((by, *join))));
    out.push_str("    }\n");
    out
}

/// Code that reads the entries one by one, for applications without access to the batch operation.
fn one_by_one(name: &str, op: &Op, given: &str) -> String {
    let id = op.path.first().map_or("id", |id| id.rust());
    let market = if op.market { ", market: self.market.clone()" } else { "" };
    format!(
        "        if !self.client.is_extended() {{\n            \
         return chunks::singles({given}, |id| {{\n                \
         {} {{ client: self.client.clone(), {id}: Ok(*id){market} }}.into_request()\n            \
         }});\n        }}\n",
        camel(name)
    )
}
