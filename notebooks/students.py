"""Settings of nbconvert for the students' edition of the course: the notebooks without solutions.

    jupyter nbconvert --config notebooks/students.py --output-dir FOLDER notebooks/*.ipynb

`make students` does that. What was saved of a notebook, such as pictures of the explorer, stays.
"""

c = get_config()
c.NbConvertApp.export_format = "notebook"
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"solution"}
