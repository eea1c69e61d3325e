-- Holds nothing: its lock keeps questions and the switch of a rebuild apart (gate.ts).
CREATE TABLE projection_gate ();
