//! stub
pub struct OneNode<'a> {
    pub id: &'a str,
    pub host: &'a str,
    pub port: u16,
}
pub mod command {
    pub fn answer(_r: crate::resp::Request<'_>, _w: &mut crate::resp::ReplyWriter<'_>) {}
}
pub mod lolwut {
    pub fn answer(_w: &mut crate::resp::ReplyWriter<'_>) {}
}
pub mod config {
    pub fn answer(
        _r: crate::resp::Request<'_>,
        _s: &[(&str, String)],
        _w: &mut crate::resp::ReplyWriter<'_>,
    ) {
    }
}
pub mod cluster {
    pub fn answer(
        _r: crate::resp::Request<'_>,
        _n: &super::OneNode<'_>,
        _w: &mut crate::resp::ReplyWriter<'_>,
    ) {
    }
}
