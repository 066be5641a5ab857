"""Who is signed in, and what they are allowed to do."""
