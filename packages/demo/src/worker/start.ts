// The entry, and nothing else: its address carries the page's query, and a chunk that imported it without one would run it again.
import "./main.ts";
