// Run in the page: what a person with eyes would see, as numbers.
(() => {
  const parse = (colour) => {
    const m = colour.match(/rgba?\(([^)]+)\)/);
    if (!m) return null;
    const [r, g, b, a] = m[1].split(/[\s,/]+/).map(Number);
    return { r, g, b, a: a === undefined ? 1 : a };
  };
  const linear = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour && colour.a === 1) return colour;
    }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || ["title", "desc", "style"].includes(element.tagName.toLowerCase())) continue;
    const style = getComputedStyle(element);
    const colour = parse(element instanceof SVGElement ? style.fill : style.color);
    texts.push({ text: node.textContent.trim().slice(0, 60), contrast: colour ? contrast(colour, ground(element)) : 0, size: parseFloat(style.fontSize) });
  }
  const charts = [...document.querySelectorAll("figure svg")].map((svg) => ({
    id: svg.id,
    name: svg.querySelector(":scope > title")?.textContent,
    description: svg.querySelector(":scope > desc")?.textContent,
    labelled: svg.getAttribute("aria-labelledby").split(" ").every((id) => document.getElementById(id)),
    width: svg.getBoundingClientRect().width,
    labels: [...svg.querySelectorAll("text:not(.value):not(.tick)")].map((text) => text.textContent),
    overlaps: [...svg.querySelectorAll("text.value")].filter((value) => {
      const label = value.previousElementSibling;
      return label && label.getBoundingClientRect().right > value.getBoundingClientRect().left;
    }).map((value) => value.textContent),
    marks: [...svg.querySelectorAll(".mark")].map((mark) => {
      const box = mark.getBBox();
      const style = getComputedStyle(mark);
      const colour = parse(style.fill === "none" ? style.stroke : style.fill);
      return { tone: mark.classList[1], x: box.x, width: box.width, height: box.height, tip: mark.querySelector("title")?.textContent,
               contrast: colour ? contrast(colour, ground(svg)) : 0 };
    }),
  }));
  const tables = {};
  document.querySelectorAll("table").forEach((table) => {
    const heads = [...table.querySelectorAll("th")].map((head) => head.textContent);
    tables[table.id] = [...table.querySelectorAll("tbody tr")].map((row) =>
      Object.fromEntries([...row.children].map((cell, i) => [heads[i], cell.textContent])));
  });
  return { texts, charts, tables, width: document.documentElement.clientWidth, scroll: document.documentElement.scrollWidth,
           title: document.title, headline: document.querySelector("h1").textContent, scripts: document.scripts.length,
           images: document.images.length };
})()
