// The bookmarklet works from the bar of bookmarks; here it is only to be dragged.

import { text } from "./text.js";
import { toast } from "./toast.js";

document.getElementById("bookmarklet")?.addEventListener("click", (event) => {
  event.preventDefault();
  toast(text("save.drag"));
});
