//! The place in the tokens.

use super::{
    super::{ast::Span, error::excerpt, lexer::Token},
    ParseError, Parsed, Parser,
};

impl Parser<'_> {
    /// From `start` to the end of the token that was taken last.
    pub(super) fn span(&self, start: usize) -> Span {
        let end = self
            .position
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        Span::new(start, end.map_or(start, |(_, span)| span.end as usize))
    }

    pub(in super::super) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(in super::super) fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.position + ahead)
            .map_or(&Token::End, |(token, _)| token)
    }

    /// Takes a token; the last one, `End`, is never passed by more than one.
    pub(in super::super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    /// Where the next token begins.
    pub(in super::super) fn offset(&self) -> usize {
        self.tokens
            .get(self.position)
            .map_or(self.source.len(), |(_, span)| span.start as usize)
    }

    /// The text of the token that begins at `offset` and was just taken.
    pub(in super::super) fn text(&self, offset: usize) -> &str {
        let end = self.span(offset).end as usize;
        &self.source[offset..end]
    }

    pub(in super::super) fn at(&self, symbol: &str) -> bool {
        // One or two letters each: compared as numbers, as this is asked at every level of the grammar.
        let letters = |text: &str| (text.len(), text.as_bytes().first().copied());
        matches!(self.peek(), Token::Symbol(found) if letters(found) == letters(symbol))
    }

    pub(super) fn at_word(&self, word: &str) -> bool {
        self.peek() == &Token::Name
            && self
                .tokens
                .get(self.position)
                .is_some_and(|(_, span)| &self.source[span.start as usize..span.end as usize] == word)
    }

    pub(in super::super) fn take(&mut self, symbol: &str) -> bool {
        let found = self.at(symbol);
        self.position += usize::from(found);
        found
    }

    pub(super) fn take_one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        let (_, choice) = choices.iter().find(|(symbol, _)| self.at(symbol))?;
        self.position += 1;
        Some(*choice)
    }

    pub(in super::super) fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> ParseError {
        let offset = self.offset();
        let found = match self.tokens.get(self.position) {
            None | Some((Token::End, _)) => "the end".to_owned(),
            Some((_, span)) => {
                format!("`{}`", excerpt(&self.source[offset..span.end as usize]))
            }
        };
        let hint = match found.as_str() {
            "`{`" => "; messages are not built, only maps {\"key\": value}",
            "`and`" => "; and is written &&",
            "`or`" => "; or is written ||",
            _ => "",
        };
        ParseError::new(format!("expected {wanted}, found {found}{hint}"), offset)
    }
}
