"use strict";
(() => {
  const EVERY = 15000;
  let busy = false;
  let again = false;

  const open = (root) => [...root.querySelectorAll("details[data-handle][open]")].map((each) => each.dataset.handle);

  const address = (handles) => {
    const url = new URL(location.href);
    url.searchParams.delete("said");
    if (handles.length) url.searchParams.set("open", handles.slice(-5).join(","));
    else url.searchParams.delete("open");
    return url;
  };

  // What is open stays open, what is scrolled stays scrolled, what has the focus keeps it.
  const place = (live) => ({
    open: new Map([...live.querySelectorAll("details[id]")].map((each) => [each.id, each.open])),
    left: new Map([...live.querySelectorAll(".scroll[id]")].map((each) => [each.id, each.scrollLeft])),
    focus: live.contains(document.activeElement) ? path(document.activeElement) : null,
    x: scrollX,
    y: scrollY,
  });

  const path = (element) => {
    const near = element.closest("[id]");
    return near && [near.id, [...near.querySelectorAll("a, button, summary")].indexOf(element)];
  };

  const restore = (live, was) => {
    for (const each of live.querySelectorAll("details[id]"))
      if (was.open.has(each.id)) each.open = was.open.get(each.id);
    for (const each of live.querySelectorAll(".scroll[id]"))
      each.scrollLeft = was.left.get(each.id) || 0;
    if (was.focus) {
      const near = document.getElementById(was.focus[0]);
      const element = near && (was.focus[1] < 0 ? near : near.querySelectorAll("a, button, summary")[was.focus[1]]);
      if (element) element.focus({ preventScroll: true });
    }
    scrollTo(was.x, was.y);
  };

  const say = (words) => {
    document.getElementById("asof").textContent = words;
  };

  const refresh = async () => {
    again = busy;
    if (busy) return;
    busy = true;
    const url = address(open(document));
    try {
      const answer = await fetch(url, { cache: "no-store", headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const live = document.getElementById("live");
      const next = document.importNode(fresh.getElementById("live"), true);
      const was = place(live);
      live.replaceWith(next);
      restore(next, was);
      document.title = fresh.title;
      history.replaceState(null, "", url);
    } catch {
      say("Could not refresh; this is what was so before. Trying again ...");
    } finally {
      busy = false;
      if (again) refresh();
    }
  };

  const undisturbed = () => !document.hidden && getSelection().isCollapsed;

  document.addEventListener(
    "toggle",
    (event) => {
      const details = event.target;
      if (details.open && details.dataset.handle && details.querySelector(".more")) refresh();
    },
    true,
  );
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  setInterval(() => undisturbed() && refresh(), EVERY);
})();
