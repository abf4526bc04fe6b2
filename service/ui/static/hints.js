// What a page says of itself, until it is put away.

import { call } from "./api.js";
import { text } from "./text.js";
import { announce, attempt, toast } from "./toast.js";

const hint = document.getElementById("hint");
hint?.querySelector("button").addEventListener("click", () =>
  attempt(async () => {
    await call("PUT", `/hints/${hint.dataset.hint}`);
    hint.remove();
    document.getElementById("main").focus();
    announce(text("hint.gone"));
  }),
);

document.getElementById("hints-again")?.addEventListener("click", () =>
  attempt(async () => {
    await call("DELETE", "/hints");
    toast(text("hints.back"));
    document.getElementById("account").open = false;
    document.querySelector("#account summary").focus();
  }),
);
