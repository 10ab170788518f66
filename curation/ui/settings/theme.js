// The theme: light, dark, or as the system.

import { fill, h, theme } from "../shared/lib.js";

export function drawTheme(box) {
  const draw = () =>
    fill(
      box,
      h("h4", "Theme"),
      h(
        "div.row",
        theme.choices.map((choice) =>
          h(
            "button.btn",
            {
              class: theme.chosen() === choice ? "on" : "",
              onclick: () => {
                theme.choose(choice);
                draw();
              },
            },
            { system: "System", light: "Light", dark: "Dark" }[choice],
          ),
        ),
      ),
    );
  draw();
}
