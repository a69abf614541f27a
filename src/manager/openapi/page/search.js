// Runs in the browser. Without it the page is complete; it only cannot be searched.
const field = document.querySelector("#search");
const found = document.querySelector("#found");
const operations = [...document.querySelectorAll("details.operation")].map((element) => ({
  element,
  text: element.querySelector("summary").textContent.toLowerCase(),
}));

field.closest("form").hidden = false;
field.closest("form").addEventListener("submit", (event) => event.preventDefault());
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const { element, text } of operations) {
    element.hidden = !words.every((word) => text.includes(word));
    if (!element.hidden) count++;
  }
  for (const section of document.querySelectorAll("section.tag"))
    section.hidden = section.querySelector("details.operation:not([hidden])") === null;
  found.textContent = field.value.trim() === "" ? "" : `${count} of ${operations.length} operations`;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === field || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  field.focus();
});

/** What a link leads to is opened. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
