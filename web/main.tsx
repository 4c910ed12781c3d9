import { render } from "preact";
import { App } from "./components/app.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/home.css";
import "./styles/call.css";
import "./group/group.css";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");
render(<App />, root);
