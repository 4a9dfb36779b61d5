"""Pages that a person can hand on: report.html of a run, in one file that needs no network and no other file.

Each Python file here makes one section's content, as JSON has it; the files beside them show it:

page.html    what every page begins with
style.css    how pages look: light, dark, narrow, on paper
kit.js       elements, numbers and tables
curves.js    curves that one can read values from
decoder.js   runs what decoder.py has written
latent.js    the latent space to play with
report.js    the sections of a run's page
comparison.js  those of a comparison's
"""
