// Takes away what differs from run to run, and adds `console`. Runs before the script, with functions of the host.
(function (now, random, write) {
  "use strict";
  const { stringify } = JSON;
  const { construct } = Reflect;
  const { defineProperty } = Object;
  const RealDate = Date;
  const hidden = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  const FixedDate = function Date(...parts) {
    if (new.target === undefined) return new RealDate(now).toString();
    return construct(RealDate, parts.length === 0 ? [now] : parts, new.target);
  };
  FixedDate.prototype = RealDate.prototype;
  hidden(FixedDate, "length", RealDate.length);
  hidden(FixedDate, "now", () => now);
  hidden(FixedDate, "parse", RealDate.parse);
  hidden(FixedDate, "UTC", RealDate.UTC);
  hidden(RealDate.prototype, "constructor", FixedDate);
  hidden(globalThis, "Date", FixedDate);
  hidden(Math, "random", random);

  const shown = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (typeof value === "object" && value !== null) {
      try {
        return stringify(value) ?? "undefined";
      } catch {
        return "[object]";
      }
    }
    if (typeof value === "function") return `[function ${value.name}]`;
    return String(value);
  };
  const console = {};
  for (const level of ["debug", "log", "info", "warn", "error"]) {
    hidden(console, level, (...parts) => write(level, parts.map(shown).join(" ").toWellFormed()));
  }
  hidden(globalThis, "console", console);
})
